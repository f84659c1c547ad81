#include "proxy/ports.h"

#include <memory>
#include <utility>

#include "consensus/pbft/statement.h"
#include "proxy/face/logging.h"

namespace zap {

Ports::Ports(EventLoop& loop, LogKeeper& log, Peers& peers, Identity identity,
             PhaseTimes& phase_times, Sinks sinks)
    : log_(log),
      peers_(peers),
      identity_(std::move(identity)),
      phase_times_(phase_times),
      sinks_(std::move(sinks)),
      wake_(loop, [this] { sinks_.wake(); }) {}

void Ports::append_to_log(std::vector<Record> records) {
  const Instant now = read_clocks().instant;
  for (const Record& record : records) phase_times_.record(record, now);
  log_.append(records);
}

void Ports::sync_log() { log_.sync(); }

void Ports::sign(Message& message) {
  for (const pbft::ToSign& due :
       pbft::signatures_to_make(identity_.cluster, identity_.self, message)) {
    *due.signature = identity_.signer.sign(due.statement);
  }
}

void Ports::send(NodeId peer, const MessagePtr& message) { peers_.send(peer, message); }

void Ports::serve_from_log(const Serve& request) {
  log_.serve(request, [this, to = request.to](Result<Message> answer) {
    if (answer) {
      peers_.send(to, std::make_shared<const Message>(std::move(*answer)));
    } else if (answer.error().code != ErrorCode::kNotFound) {
      log_error("cannot read the log for a peer", {{"why", answer.error().message}});
    }
  });
}

void Ports::notice(const Notice& notice) {
  if (notice.kind == Notice::Kind::kAmnesia) log_.admit_loss(notice.view);
  if (notice.kind == Notice::Kind::kReturned) log_.votes_again();
  sinks_.notice(notice);
}

}  // namespace zap
