#include "proxy/app/app_identity.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

namespace zap {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";  // TCP_LISTEN, as /proc/net/tcp writes it
constexpr int kReadings = 8;                   // of the kernel's table, at most

const std::string& boot() {
  static const std::string id = [] {
    std::string line;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), line);
    return line;
  }();
  return id;
}

/// An IP address as /proc/net/tcp and tcp6 write it: words of the host's byte order, in hex.
std::string hex_words(const void* bytes, std::size_t size) {
  std::string text;
  for (std::size_t at = 0; at < size; at += 4) {
    char word[9];
    std::uint32_t value;
    std::memcpy(&value, static_cast<const char*>(bytes) + at, sizeof value);
    std::snprintf(word, sizeof word, "%08X", value);
    text += word;
  }
  return text;
}

/// The local addresses under which a listener would take connections to `host`, in both tables.
struct LocalAddresses {
  std::vector<std::string> ipv4;
  std::vector<std::string> ipv6;
  bool loopback = false;
};

LocalAddresses local_addresses(const std::string& host) {
  LocalAddresses result;
  const auto add_ipv4 = [&result](const in_addr& address) {
    result.loopback = (ntohl(address.s_addr) >> 24) == 127;
    result.ipv4 = {hex_words(&address, sizeof address), "00000000"};
    in6_addr mapped{};
    mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
    std::memcpy(&mapped.s6_addr[12], &address, sizeof address);
    result.ipv6.push_back(hex_words(&mapped, sizeof mapped));
    result.ipv6.push_back(std::string(32, '0'));
  };
  const auto add_ipv6 = [&result](const in6_addr& address) {
    result.loopback = IN6_IS_ADDR_LOOPBACK(&address);
    result.ipv6.push_back(hex_words(&address, sizeof address));
    result.ipv6.push_back(std::string(32, '0'));
  };
  in_addr ipv4{};
  in6_addr ipv6{};
  if (::inet_pton(AF_INET, host.c_str(), &ipv4) == 1) {
    add_ipv4(ipv4);
  } else if (::inet_pton(AF_INET6, host.c_str(), &ipv6) == 1) {
    add_ipv6(ipv6);
  } else if (host == "localhost") {
    ::inet_pton(AF_INET, "127.0.0.1", &ipv4);
    add_ipv4(ipv4);
    add_ipv6(in6addr_loopback);
  }
  return result;
}

/// Inodes of the sockets in `table` that listen on one of `addresses`. The kernel lists listening
/// sockets before all others, so the connections behind them are not read.
void find_inodes(const char* table, const std::vector<std::string>& addresses, std::uint16_t port,
                 std::vector<std::string>& inodes) {
  char port_hex[5];
  std::snprintf(port_hex, sizeof port_hex, "%04X", port);
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
        timeout >> inode;
    if (state != kListening) break;
    for (const std::string& address : addresses) {
      if (local == address + ":" + port_hex) inodes.push_back(inode);
    }
  }
}

std::vector<std::string> listening_inodes(const Address& address) {
  std::vector<std::string> inodes;
  if (address.is_unix()) {
    // Num RefCount Protocol Flags Type St Inode Path; flag 10000 is a listening socket.
    std::ifstream file("/proc/net/unix");
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string number, references, protocol, flags, type, state, inode, path;
      fields >> number >> references >> protocol >> flags >> type >> state >> inode >> path;
      if (flags == "00010000" && path == address.unix_path) inodes.push_back(inode);
    }
  } else {
    const LocalAddresses locals = local_addresses(address.host);
    find_inodes("/proc/net/tcp", locals.ipv4, address.port, inodes);
    find_inodes("/proc/net/tcp6", locals.ipv6, address.port, inodes);
  }
  return inodes;
}

bool holds(const fs::path& process, const std::string& socket) {
  std::error_code ignored;
  for (fs::directory_iterator fd(process / "fd", ignored), end; fd != end; fd.increment(ignored)) {
    if (fs::read_symlink(fd->path(), ignored) == socket) return true;
    if (ignored) return false;
  }
  return false;
}

/// The process that holds a socket, by looking through all that we may look into.
std::optional<std::string> process_holding(const std::string& inode) {
  const std::string socket = "socket:[" + inode + "]";
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string pid = process.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!holds(process.path(), socket)) continue;
    std::string name;
    std::getline(std::ifstream(process.path() / "comm"), name);
    return name + " (pid " + pid + ")";
  }
  return std::nullopt;
}

}  // namespace

bool tells_runs(const Address& address) {
  return address.is_unix() || local_addresses(address.host).loopback;
}

std::string run_at(const Address& address) {
  if (address.is_unix() || !tells_runs(address)) return {};
  // The kernel gives its table page by page. A line that others' sockets hid, coming and going
  // meanwhile, must not pass for a restart: two readings have to agree.
  std::vector<std::string> inodes = listening_inodes(address);
  for (int reading = 1; reading < kReadings; ++reading) {
    std::vector<std::string> again = listening_inodes(address);
    if (again == inodes) break;
    inodes = std::move(again);
  }
  if (inodes.empty()) return {};
  std::string run = "socket";
  for (const std::string& inode : inodes) run += " " + inode;
  return run + " of boot " + boot();
}

std::string run_of_peer(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return {};
  return run_of_process(peer.pid);
}

std::string run_of_process(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  // The name, in brackets, may hold anything; the start time is the 20th field behind it.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int i = 0; i < 20; ++i) fields >> field;
  if (!fields) return {};
  return "process " + std::to_string(pid) + " started " + field + " of boot " + boot();
}

std::optional<std::string> listener_at(const Address& address) {
  const std::vector<std::string> inodes = listening_inodes(address);
  if (inodes.empty()) return std::nullopt;
  return process_holding(inodes.front()).value_or("another process");
}

}  // namespace zap
