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

/// The addresses of one file: those that this process listens on, of which no two may be one, and
/// those of its applications, which must be none of them.
class Claims {
 public:
  void listen(const Address& address, std::string owner, Position where, Problems& problems);
  void connect(const Address& address, std::string owner, Position where);
  /// Compares the two kinds, once the whole file is read.
  void finish(Problems& problems) const;

 private:
  struct Claim {
    Address address;
    std::string owner;
    Position where;
  };
  const Claim* listener_at(const Address& address) const;

  std::vector<Claim> listeners_;
  std::vector<Claim> applications_;
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
