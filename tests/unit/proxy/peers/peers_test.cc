// Real sockets and real TLS on the loopback; every peer of a test lives on one loop.

#include "proxy/peers/peers.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <deque>

#include "consensus/pbft/statement.h"
#include "consensus/wire/codec.h"
#include "core/limits.h"
#include "proxy/net/listener.h"
#include "tests/unit/proxy/cluster_keys.h"

namespace zap {
namespace {

using namespace std::chrono_literals;
using test::ClusterKeys;

/// Gives each member an address that was free a moment ago.
void choose_addresses(EventLoop& loop, Membership& membership) {
  std::vector<std::unique_ptr<Listener>> held;
  for (Member& member : membership.members) {
    held.push_back(
        std::move(Listener::open(loop, {.host = "127.0.0.1", .port = 0}, [](Socket) {}).value()));
    member.address = to_string(held.back()->address());
  }
}

PeersSettings settings_of(const ClusterKeys& keys, NodeId self) {
  PeersSettings settings;
  settings.cluster = "c1";
  settings.self = self;
  settings.membership = keys.membership;
  settings.listen = parse_address(keys.membership.members.at(self).address).value();
  return settings;
}

/// One node's links, and what it heard.
struct Node {
  Node(EventLoop& loop, const ClusterKeys& keys, const PeersSettings& settings)
      : Node(loop, keys.tls(settings.self), settings) {}
  Node(EventLoop& loop, TlsContext tls, PeersSettings settings) {
    PeersHandlers handlers;
    handlers.is_superfluous = [](const Message&) { return false; };
    handlers.on_message = [this](NodeId from, const MessagePtr& message) {
      heard.emplace_back(from, message);
    };
    handlers.on_answers = [this](NodeId, const wire::AnswerMessage& m) { answers.push_back(m); };
    handlers.on_connected = [this](NodeId) { ++connected; };
    handlers.on_disconnected = [this](NodeId) { ++disconnected; };
    peers = std::move(Peers::open(loop, std::move(settings), std::move(tls), handlers).value());
  }

  std::vector<std::pair<NodeId, MessagePtr>> heard;
  std::vector<wire::AnswerMessage> answers;
  int connected = 0;
  int disconnected = 0;
  std::unique_ptr<Peers> peers;
};

void run_for(EventLoop& loop, Duration time) {
  Timer timer(loop, [&] { loop.stop(); });
  timer.after(time);
  loop.run();
}

/// Runs until the condition holds; false where it did not within ten seconds.
template <typename Condition>
bool run_until(EventLoop& loop, Condition condition) {
  for (int i = 0; i < 2'000 && !condition(); ++i) run_for(loop, 5ms);
  return condition();
}

MessagePtr status(View view) { return std::make_shared<const Message>(pbft::Status{.view = view}); }
View view_of(const MessagePtr& message) { return std::get<pbft::Status>(*message).view; }

wire::Hello hello_of_node_0(const ClusterKeys& keys) {
  wire::Hello hello;
  hello.cluster = "c1";
  hello.membership = keys.membership.digest();
  return hello;
}

/// Node 0, but its bytes are the test's.
struct RawPeer {
  RawPeer(EventLoop& loop, const ClusterKeys& keys, const Address& to)
      : RawPeer(loop, keys, to, hello_of_node_0(keys)) {}
  RawPeer(EventLoop& loop, const ClusterKeys& keys, const Address& to, const wire::Hello& hello) {
    StreamHandlers handlers;
    handlers.on_open = [this, hello] { send(wire::encode(hello)); };
    handlers.on_readable = [this] { stream->take_all(); };
    handlers.on_closed = [this](const std::string&) { closed = true; };
    stream = std::make_unique<Stream>(loop, to, handlers, keys.tls(0).session());
  }

  void announce(std::uint32_t size) {
    char header[4];
    std::memcpy(header, &size, sizeof header);  // the tests run on little-endian machines only
    stream->write_copy({header, sizeof header});
  }
  void send(const Bytes& frame) {
    announce(static_cast<std::uint32_t>(frame.size()));
    stream->write(frame);
  }

  bool closed = false;
  std::unique_ptr<Stream> stream;
};

struct Fixture {
  Fixture() { choose_addresses(loop, keys.membership); }
  Node node(NodeId id) { return Node(loop, keys, settings_of(keys, id)); }

  EventLoop loop;
  ClusterKeys keys{4};
};

TEST_CASE_METHOD(Fixture, "peers: four nodes connect, each pair once, and hear one another") {
  std::vector<std::unique_ptr<Node>> nodes;
  for (NodeId id = 0; id < 4; ++id) {
    nodes.push_back(std::make_unique<Node>(loop, keys, settings_of(keys, id)));
  }
  REQUIRE(run_until(loop, [&] {
    return std::all_of(nodes.begin(), nodes.end(),
                       [](const auto& node) { return node->peers->connected_count() == 3; });
  }));
  for (NodeId id = 1; id < 4; ++id) nodes[0]->peers->send(id, status(7));
  nodes[3]->peers->send(0, wire::Replies{5, {{1, {}}}});
  REQUIRE(run_until(loop, [&] {
    return nodes[0]->answers.size() == 1 &&
           std::all_of(nodes.begin() + 1, nodes.end(),
                       [](const auto& node) { return node->heard.size() == 1; });
  }));
  CHECK(nodes[2]->heard[0].first == 0);
  CHECK(view_of(nodes[2]->heard[0].second) == 7);
  CHECK(std::get<wire::Replies>(nodes[0]->answers[0]).incarnation == 5);
  for (const auto& node : nodes) {
    CHECK(node->connected == 3);
    CHECK(node->disconnected == 0);
    CHECK(node->peers->strangers_refused() == 0);
  }
}

TEST_CASE_METHOD(Fixture, "peers: messages keep their order, large and small, signed or not") {
  Node one = node(0), two = node(1);
  REQUIRE(run_until(loop, [&] { return one.connected && two.connected; }));
  const Signer signer = keys.signer(0);
  std::vector<std::size_t> sent;
  for (std::size_t i = 0; i < 300; ++i) {
    Message message = pbft::Status{.view = i};
    if (i % 3 == 0) {
      message = pbft::Checkpoint{.seq = i + 1};
      for (auto& owed : pbft::signatures_to_make("c1", 0, message)) {
        *owed.signature = signer.sign(owed.statement);
      }
    } else if (i % 50 == 1) {
      message = pbft::FetchCalls{std::vector<Digest>(limits::kFetchedCalls)};
    }
    sent.push_back(message.index());
    one.peers->send(1, std::make_shared<const Message>(std::move(message)));
    if (i % 10 == 0) run_for(loop, 1ms);
  }
  REQUIRE(run_until(loop, [&] { return two.heard.size() == sent.size(); }));
  std::vector<std::size_t> received;
  for (const auto& [from, message] : two.heard) received.push_back(message->index());
  CHECK(received == sent);
  CHECK(one.peers->stats(1).dropped == 0);
  CHECK(two.peers->stats(0).frames_received >= sent.size());
}

TEST_CASE_METHOD(Fixture, "peers: a node that comes back is connected again") {
  Node one = node(0);
  {
    Node two = node(1);
    REQUIRE(run_until(loop, [&] { return one.connected == 1 && two.connected == 1; }));
  }
  REQUIRE(run_until(loop, [&] { return one.disconnected == 1; }));
  one.peers->send(1, status(1));
  CHECK(one.peers->stats(1).dropped == 1);
  Node two = node(1);
  CHECK(run_until(loop, [&] { return one.connected == 2 && two.connected == 1; }));
}

TEST_CASE_METHOD(Fixture, "peers: a certificate of another authority") {
  const ClusterKeys other(4);
  Node two = node(1);
  Node stranger(loop, other.tls(0), settings_of(keys, 0));
  REQUIRE(run_until(loop, [&] { return two.peers->strangers_refused() > 0; }));
  CHECK(stranger.connected == 0);
  CHECK(two.connected == 0);
}

TEST_CASE_METHOD(Fixture, "peers: the right authority, but the key is no member's") {
  PeersSettings settings = settings_of(keys, 1);
  settings.membership.members[0].public_key = ClusterKeys(1).membership.members[0].public_key;
  Node two(loop, keys, settings);
  Node one = node(0);
  REQUIRE(run_until(loop, [&] { return two.peers->strangers_refused() > 0; }));
  CHECK(one.connected == 0);
  CHECK(two.connected == 0);
}

TEST_CASE_METHOD(Fixture, "peers: a hello that does not fit its certificate or this cluster") {
  Node two = node(1);
  wire::Hello hello = hello_of_node_0(keys);
  SECTION("another node's id") { hello.node = 3; }
  SECTION("another cluster") { hello.cluster = "c2"; }
  SECTION("another version of the protocol") { ++hello.protocol_version; }
  SECTION("idempotency configured differently") { hello.agreed_configuration.bytes[0] = 1; }
  SECTION("other members in the same epoch") { hello.membership.bytes[0] ^= 1; }
  RawPeer raw(loop, keys, two.peers->address(), hello);
  REQUIRE(run_until(loop, [&] { return two.peers->strangers_refused() == 1; }));
  CHECK(two.connected == 0);
  CHECK(run_until(loop, [&] { return raw.closed; }));
}

TEST_CASE_METHOD(Fixture, "peers: plain bytes, and silence, at the port") {
  Node two = node(1);
  StreamHandlers handlers;
  handlers.on_readable = [] {};
  Stream plain(loop, two.peers->address(), handlers);
  plain.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(run_until(loop, [&] { return two.peers->strangers_refused() == 1; }));

  std::vector<std::unique_ptr<Stream>> silent;
  for (std::size_t i = 0; i < limits::kStrangers + 10; ++i) {
    silent.push_back(std::make_unique<Stream>(loop, two.peers->address(), handlers));
  }
  CHECK(run_until(loop, [&] { return two.peers->strangers_refused() == 1 + 10; }));
  const std::size_t all = 1 + silent.size();
  CHECK(run_until(loop, [&] { return two.peers->strangers_refused() == all; }));  // kHelloTime
  Node one = node(0);
  CHECK(run_until(loop, [&] { return one.connected == 1 && two.connected == 1; }));
}

/// Connects without a word, from any loopback address, and keeps the newest connections open.
class Flood {
 public:
  Flood(const Address& to, const char* from) : from_(from) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(to.port);
    inet_pton(AF_INET, to.host.c_str(), &to_.sin_addr);
  }

  void connect(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      sockaddr_in from{};
      from.sin_family = AF_INET;
      inet_pton(AF_INET, from_, &from.sin_addr);
      ::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&from), sizeof from);
      ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&to_), sizeof to_);
      open_.push_back(std::move(socket));
      if (open_.size() > 300) open_.pop_front();
    }
  }
  bool is_open(std::size_t which) const {
    char byte;
    const ssize_t size = ::recv(open_.at(which).fd(), &byte, 1, MSG_DONTWAIT);
    return size < 0 && errno == EAGAIN;
  }

 private:
  const char* const from_;
  sockaddr_in to_{};
  std::deque<Socket> open_;
};

TEST_CASE_METHOD(Fixture, "peers: who floods loses its own strangers, and nobody else's") {
  Node two = node(1);
  Flood quiet(two.peers->address(), "127.0.0.3");
  quiet.connect(1);
  // A member whose handshake is done, and who says no hello.
  bool member_closed = false;
  Stream member(
      loop, two.peers->address(),
      {.on_readable = [] {}, .on_closed = [&](const std::string&) { member_closed = true; }},
      keys.tls(0).session());
  REQUIRE(run_until(loop, [&] { return member.is_open(); }));
  Flood loud(two.peers->address(), "127.0.0.2");
  Flood beside_the_member(two.peers->address(), "127.0.0.1");
  for (int i = 0; i < 20; ++i) {
    loud.connect(10);
    beside_the_member.connect(10);
    run_for(loop, 5ms);
  }
  REQUIRE(run_until(
      loop, [&] { return two.peers->strangers_refused() >= 2 * (200 - limits::kStrangers); }));
  CHECK(quiet.is_open(0));
  CHECK_FALSE(member_closed);
}

TEST_CASE_METHOD(Fixture, "peers: what fails the gate ends its sender's link, and it must wait") {
  Node two = node(1);
  auto raw = std::make_unique<RawPeer>(loop, keys, two.peers->address());
  REQUIRE(run_until(loop, [&] { return two.connected == 1; }));
  SECTION("random frames") {
    for (int i = 0; i < 5; ++i) raw->send(Bytes(std::string(1'000, static_cast<char>(i * 37))));
  }
  SECTION("signatures that are not its own") {
    for (Seq seq = 1; seq <= 5; ++seq)
      raw->send(wire::encode(Message(pbft::Checkpoint{.seq = seq})));
  }
  REQUIRE(run_until(loop, [&] { return two.disconnected == 1; }));
  CHECK(two.heard.empty());
  CHECK(two.peers->stats(0).refused >= limits::kFailuresPerLink);
  REQUIRE(run_until(loop, [&] { return raw->closed; }));
  raw = std::make_unique<RawPeer>(loop, keys, two.peers->address());
  CHECK(run_until(loop, [&] { return raw->closed; }));
  CHECK(two.connected == 1);
}

TEST_CASE_METHOD(Fixture, "peers: an announced frame above the limit ends the link at once") {
  Node two = node(1);
  RawPeer raw(loop, keys, two.peers->address());
  REQUIRE(run_until(loop, [&] { return two.connected == 1; }));
  raw.announce(limits::kFrameBytes + 1);
  CHECK(run_until(loop, [&] { return two.disconnected == 1; }));
}

TEST_CASE_METHOD(Fixture, "peers: a newer link of the same node replaces the older") {
  Node two = node(1);
  RawPeer older(loop, keys, two.peers->address());
  REQUIRE(run_until(loop, [&] { return two.connected == 1; }));
  RawPeer newer(loop, keys, two.peers->address());
  REQUIRE(run_until(loop, [&] { return two.connected == 2; }));
  CHECK(two.disconnected == 1);
  CHECK(run_until(loop, [&] { return older.closed; }));
  CHECK_FALSE(newer.closed);
  newer.send(wire::encode(*status(3)));
  CHECK(run_until(loop, [&] { return two.heard.size() == 1; }));
}

TEST_CASE_METHOD(Fixture, "peers: one that takes nothing costs a bounded outbox, oldest first") {
  Node two = node(1);
  RawPeer raw(loop, keys, two.peers->address());
  REQUIRE(run_until(loop, [&] { return two.connected == 1; }));
  raw.stream->pause_reading();
  const auto large =
      std::make_shared<const Message>(pbft::FetchCalls{std::vector<Digest>(limits::kFetchedCalls)});
  const std::size_t enough = 2 * limits::kOutboxBytes / (limits::kFetchedCalls * sizeof(Digest));
  for (std::size_t i = 0; i < enough; ++i) {
    two.peers->send(0, large);
    if (i % 16 == 0) run_for(loop, 1ms);
  }
  CHECK(two.peers->stats(0).dropped > 0);
  CHECK(two.peers->stats(0).outbox_bytes < limits::kOutboxBytes + (8u << 20));
}

}  // namespace
}  // namespace zap
