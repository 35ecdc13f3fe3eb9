#include <kestrion/providers/models/model.hpp>

#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/draft.hpp>

#include <utility>

namespace kestrion {

void show_whole(const model_reply& reply, const delta_sink& on_delta) {
  draft shown{on_delta};
  for (std::size_t i = 0; i < reply.parts.size(); ++i)
    match(
      reply.parts[i],
      [&](const text_part& x) { shown.show(delta_kind::text, i, x.text); },
      [&](const reasoning_part& x) {
        shown.show(delta_kind::reasoning, i, x.text);
      },
      [&](const tool_call_part& x) {
        shown.show(delta_kind::tool_name, i, x.name);
        shown.show(delta_kind::tool_arguments, i, x.arguments);
      },
      [](const image_part&) {}, [](const document_part&) {},
      [](const opaque_part&) {}, [](const tool_result_part&) {});
}

result<void>
model::check(const std::shared_ptr<const agent_definition>&) const {
  return {};
}

void model::stream(model_request request, std::stop_token stop,
                   delta_sink on_delta, model_callback done) {
  complete(std::move(request), std::move(stop),
           [on_delta = std::move(on_delta),
            done = std::move(done)](model_outcome outcome) {
             if (const auto* reply = std::get_if<model_reply>(&outcome))
               show_whole(*reply, on_delta);
             done(std::move(outcome));
           });
}

} // namespace kestrion
