#include "proxy/answers/answer_reader.h"

#include <utility>

#include "core/limits.h"

namespace zap {

Result<Reply> read_answer(const Protocol& protocol, const Call& call, const Bytes& answer,
                          const Comparison& comparison) {
  const auto session = protocol.app_session({.response_bytes = limits::kPayloadBytes});
  Output question;  // nobody is asked: the session must know what it reads an answer to
  session->deliver(call.operation.payload, std::nullopt, comparison, question);
  auto replies = session->feed(answer.view());
  if (!replies) return replies.error();
  if (replies->size() == 1) return std::move(replies->front().reply);
  return Error{ErrorCode::kInvalid,
               "another node's answer of " + std::to_string(answer.size()) + " bytes is not whole"};
}

}  // namespace zap
