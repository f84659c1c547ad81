#include "tests/support/describe.h"

#include <sstream>

namespace zap::test {

namespace {

struct Describer {
  std::ostringstream& out;

  void operator()(const pbft::Bundle& bundle) const {
    out << "BUNDLE of " << bundle.proof->origin << "." << bundle.proof->incarnation << " #"
        << bundle.proof->first_number << "+" << bundle.proof->digests.size();
    if (bundle.calls.size() != bundle.proof->digests.size()) {
      out << " (" << bundle.calls.size() << " of them)";
    }
  }
  void operator()(const pbft::PrePrepare& message) const {
    vote("PRE-PREPARE", message);
    out << " (" << message.batch.calls.size() << ")";
  }
  void operator()(const pbft::Prepare& message) const { vote("PREPARE", message); }
  void operator()(const pbft::Commit& message) const { vote("COMMIT", message); }
  void operator()(const pbft::Checkpoint& message) const {
    out << "CHECKPOINT s" << message.seq << " " << describe(message.digest);
  }
  void operator()(const pbft::StableCheckpoint& message) const {
    out << "STABLE s" << message.seq << " " << describe(message.digest);
  }
  void operator()(const pbft::ViewChange& message) const {
    out << "VIEW-CHANGE v" << message.view << " h" << message.stable.seq;
    for (const pbft::Certificate& certificate : message.prepared) {
      out << " s" << certificate.seq << "v" << certificate.view << ":"
          << describe(certificate.digest);
    }
  }
  void operator()(const pbft::NewView& message) const {
    out << "NEW-VIEW v" << message.view << " of";
    for (const pbft::ViewChange& change : message.view_changes) out << " " << change.sender;
    for (const pbft::Reproposal& entry : message.reproposals) {
      out << " s" << entry.seq << ":" << describe(entry.digest);
    }
  }
  void operator()(const pbft::Status& message) const {
    out << "STATUS v" << message.view << (message.active ? "" : "?") << " h" << message.stable
        << " p" << message.prepared << " d" << message.decided
        << (message.returning ? " returning" : "");
    if (message.wants > message.view) out << " wants v" << message.wants;
  }
  void operator()(const pbft::FetchBatches& message) const {
    out << "FETCH-BATCHES";
    for (const auto& wanted : message.wanted) out << " s" << wanted.seq;
  }
  void operator()(const pbft::Batches& message) const {
    out << "BATCHES";
    for (const auto& content : message.contents) out << " s" << content.seq;
  }
  void operator()(const pbft::FetchCalls& message) const {
    out << "FETCH-CALLS (" << message.digests.size() << ")";
  }
  void operator()(const pbft::DecidedDigests& message) const {
    out << "DECIDED s" << message.first << "+" << message.digests.size();
  }
  void operator()(const pbft::Shown& message) const {
    out << "SHOWN";
    for (const auto& shown : message.prepares) (out << " "), (*this)(shown);
    for (const auto& shown : message.pre_prepares) (out << " "), (*this)(shown);
    for (const auto& shown : message.checkpoints) (out << " "), (*this)(shown);
    for (const auto& shown : message.view_changes) (out << " "), (*this)(shown);
  }

 private:
  template <typename V>
  void vote(const char* name, const V& message) const {
    out << name << " v" << message.view << " s" << message.seq << " " << describe(message.digest);
  }
};

}  // namespace

std::string describe(const Digest& digest) {
  return digest == pbft::null_digest() ? "null" : digest.hex(2);
}

std::string describe(const pbft::Message& message) {
  std::ostringstream out;
  std::visit(Describer{out}, message);
  return out.str();
}

}  // namespace zap::test
