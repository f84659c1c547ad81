#include "proxy/peers/verified_signatures.h"

namespace zap {

Digest VerifiedSignatures::key_of(const pbft::ToVerify& signature) {
  const auto& bytes = signature.signature.bytes;
  return Hasher("zap verified")
      .add(signature.signer)
      .add(signature.statement)
      .add(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()))
      .finish();
}

bool VerifiedSignatures::contains(const pbft::ToVerify& signature) const {
  const Digest key = key_of(signature);
  const std::lock_guard lock(mutex_);
  return keys_.count(key) > 0;
}

void VerifiedSignatures::add(const pbft::ToVerify& signature) {
  const Digest key = key_of(signature);
  const std::lock_guard lock(mutex_);
  if (!keys_.insert(key).second) return;
  by_age_.push_back(key);
  if (by_age_.size() > most_) {
    keys_.erase(by_age_.front());
    by_age_.pop_front();
  }
}

}  // namespace zap
