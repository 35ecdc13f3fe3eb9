#pragma once

#include <kestrion/providers/models/model.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace kestrion::test {

/// A model that answers when the test says so.
class patient_model final : public model {
public:
  std::string name() const override { return "patient"; }
  std::optional<model_price> price() const override { return {}; }
  void complete(model_request request, std::stop_token stop,
                model_callback done) override {
    calls.push_back({std::move(stop), std::move(done), std::move(request)});
  }
  void stream(model_request request, std::stop_token stop, delta_sink on_delta,
              model_callback done) override {
    complete(std::move(request), std::move(stop), std::move(done));
    calls.back().on_delta = std::move(on_delta);
  }

  struct call {
    std::stop_token stop;
    model_callback done;
    model_request request;
    delta_sink on_delta = {}; ///< Empty: nobody wants to see a draft.
  };
  std::vector<call> calls;
};

} // namespace kestrion::test
