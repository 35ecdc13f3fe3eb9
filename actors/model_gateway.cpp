#include <kestrion/actors/model_gateway.hpp>

#include <kestrion/providers/models/attachments.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <exception>

namespace kestrion {

void start_model_call(model_work work) {
  const auto begin = std::chrono::steady_clock::now();
  // A weak address: an answer must not keep a run that ended in memory.
  const auto answer = [run = work.run, call = work.call, attempt = work.attempt,
                       begin](model_outcome outcome) {
    const auto took = std::chrono::duration_cast<duration>(
      std::chrono::steady_clock::now() - begin);
    if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(run))
      caf::anon_send(
        caf::actor_cast<caf::actor>(hdl),
        model_done{call, std::move(outcome), took, {}, 0, attempt});
  };
  if (work.blobs) {
    auto& said = work.request.conversation;
    auto shown = with_blobs(said, [&](const std::string& hash) {
      return work.blobs->get_blob(hash);
    });
    if (!shown)
      return answer(model_failure{shown.error(), false, {}, 0});
    said = std::move(*shown);
  }
  // A model of the embedder's may throw; that costs one call, not the run.
  try {
    auto& model = *work.model;
    if (work.on_delta)
      model.stream(std::move(work.request), std::move(work.stop),
                   std::move(work.on_delta), answer);
    else
      model.complete(std::move(work.request), std::move(work.stop), answer);
  } catch (const std::exception& e) {
    answer(model_failure{
      {errc::io, std::string{"the model threw: "} + e.what()}, false, {}, 0});
  }
}

} // namespace kestrion
