// config/load_parts.h - the parts of load(), one function a section of the file.
//
// Each reads its section into `config` and notes what is wrong in the section's Problems. Nothing
// outside of config/load*.cc includes this.

#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/section.h"

namespace zap::config {

/// Addresses that this process listens on, to find two that are one.
class Claims {
 public:
  void add(const Address& address, std::string owner, Position where, Problems& problems);
  /// Who listens on `address`; empty when nobody does.
  std::string owner_of(const Address& address) const;

 private:
  struct Claim {
    Address address;
    std::string owner;
    int line;
  };
  const Claim* find(const Address& address) const;

  std::vector<Claim> claims_;
};

/// Reads `key` as a path, relative to the configuration file's folder.
bool read_path(Section& section, const char* key, const Config& config, Path& out,
               Presence presence = Presence::kOptional);

/// What may name a node or a listener: letters, digits, '-', '_' and '.', up to 63 of them.
bool check_name(const Section& section, const char* key, const std::string& name,
                Problems& problems);

void load_consensus(Section& section, Config& config);
void load_listeners(Section& top, Config& config, Claims& claims);

/// The key and the certificates: there, readable, and belonging together.
void check_credentials(Section& peer, const Config& config);

}  // namespace zap::config
