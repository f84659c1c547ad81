#include "tests/unit/proxy/cluster_keys.h"

#include <fstream>

#include "config/certificates.h"

namespace zap::test {

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
}

}  // namespace

ClusterKeys::ClusterKeys(std::size_t nodes, const ClusterId& cluster) {
  folder_ = std::filesystem::temp_directory_path() / ("zap-keys-" + config::random_hex(8).value());
  std::filesystem::create_directories(folder_);
  const config::PrivateKey authority = config::generate_private_key().value();
  const std::string authority_pem = config::make_authority(authority, cluster).value();
  write(file("ca.crt"), authority_pem);
  for (std::size_t i = 0; i < nodes; ++i) {
    const config::PrivateKey key = config::generate_private_key().value();
    const Member member{.id = static_cast<NodeId>(i),
                        .name = "node" + std::to_string(i + 1),
                        .address = "127.0.0.1:1",
                        .public_key = config::public_key_of(key)};
    write(file(member.name + ".key"), config::to_pem(key));
    write(file(member.name + ".crt"),
          config::issue_certificate(authority, authority_pem,
                                    {member.name, {"127.0.0.1"}, member.public_key})
              .value());
    membership.members.push_back(member);
    keys_.push_back(key);
  }
}

ClusterKeys::~ClusterKeys() { std::filesystem::remove_all(folder_); }

TlsContext ClusterKeys::tls(NodeId id) const {
  auto context = TlsContext::load(file(name(id) + ".crt"), file(name(id) + ".key"), file("ca.crt"),
                                  membership.members.at(id).public_key);
  return std::move(context.value());
}

}  // namespace zap::test
