#include "tests/simulation/scenario.h"

#include <algorithm>
#include <sstream>

#include "tests/simulation/random.h"

namespace zap::simulation {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string_view to_string(Profile profile) {
  switch (profile) {
    case Profile::kSwarm:
      return "swarm";
    case Profile::kTraitors:
      return "traitors";
    case Profile::kRestarts:
      return "restarts";
    case Profile::kAmnesia:
      return "amnesia";
    case Profile::kDisaster:
      return "disaster";
    case Profile::kCalm:
      return "calm";
  }
  return "";
}

Result<Profile> parse_profile(std::string_view name) {
  for (const Profile profile : kProfiles) {
    if (to_string(profile) == name) return profile;
  }
  return Error{ErrorCode::kInvalid,
               "profile '" + std::string(name) +
                   "' is not known; swarm, traitors, restarts, amnesia, disaster and calm are"};
}

bool Scenario::is_traitor(NodeId node) const { return traitor(node) != nullptr; }

const Traitor* Scenario::traitor(NodeId node) const {
  const auto found = std::find_if(traitors.begin(), traitors.end(),
                                  [node](const Traitor& one) { return one.node == node; });
  return found == traitors.end() ? nullptr : &*found;
}

std::vector<NodeId> Scenario::places() const {
  std::vector<NodeId> places;
  for (const Member& member : settings.membership.members) places.push_back(member.id);
  for (const Traitor& one : traitors) {
    if (one.twins) places.push_back(one.node);
  }
  return places;
}

namespace {

void describe(std::ostream& out, const Traitor& traitor) {
  const Treachery& lies = traitor.treachery;
  static constexpr const char* kOrigins[] = {"",
                                             " two-payloads",
                                             " calls-to-leader-only",
                                             " calls-to-all-but-leader",
                                             " calls-to-one-backup",
                                             " floods"};
  const auto tell = [&out](bool does, const char* what) {
    if (does) out << " " << what;
  };
  out << "  node " << traitor.node << " lies:";
  tell(traitor.twins, "twins");
  tell(lies.equivocates, "equivocates");
  tell(lies.invents_calls, "invents-calls");
  tell(lies.wrong_new_view, "wrong-new-view");
  tell(lies.omits_certificates, "omits-certificates");
  tell(lies.forges_certificates, "forges-certificates");
  tell(lies.bad_digests, "bad-digests");
  tell(lies.replays, "replays");
  tell(lies.foreign_epoch, "foreign-epoch");
  tell(lies.lies_decided, "lies-decided");
  tell(lies.lies_status, "lies-status");
  tell(lies.lies_shown, "lies-shown");
  tell(lies.rushes_views, "rushes-views");
  tell(lies.rushes_clock, "rushes-clock");
  tell(lies.revives_calls, "revives-calls");
  out << kOrigins[static_cast<std::size_t>(lies.origin)];
  if (lies.censors) out << " censors-" << *lies.censors;
  if (lies.delay != Duration{}) {
    out << (lies.delays_proposals_only ? " slow-proposals" : " slow");
  }
  const std::size_t kinds = static_cast<std::size_t>(
      std::count_if(lies.withheld.begin(), lies.withheld.end(), [](auto mask) { return mask; }));
  if (kinds > 0) out << " withholds-" << kinds << "-kinds";
  out << "\n";
}

}  // namespace

std::string describe(const Scenario& scenario) {
  std::ostringstream out;
  const auto ms = [](Duration duration) {
    return std::chrono::duration_cast<milliseconds>(duration).count();
  };
  const pbft::Settings& settings = scenario.settings;
  out << "seed " << scenario.seed << ", " << to_string(scenario.profile)
      << ": n = " << settings.membership.members.size() << ", round_timeout "
      << ms(settings.round_timeout) << " ms, election_timeout " << ms(settings.election_timeout)
      << " ms, batch_size " << settings.batch_size;
  if (settings.fixed_leader) out << ", fixed leader " << *settings.fixed_leader;
  out << "\n";
  for (const Traitor& traitor : scenario.traitors) describe(out, traitor);
  if (scenario.network.loss > 0) out << "  loses " << scenario.network.loss << " of messages\n";
  if (scenario.network.commit_loss > 0) out << "  loses commits\n";
  if (scenario.partitions.mean > Duration{}) out << "  partitions\n";
  if (scenario.crashes.mean > Duration{}) out << "  crashes\n";
  if (scenario.pauses.mean > Duration{}) out << "  pauses\n";
  if (scenario.clock_jumps.mean > Duration{}) out << "  clocks jump\n";
  if (scenario.application_stops.mean > Duration{}) out << "  applications stop\n";
  if (scenario.amnesiacs > 0) out << "  disks forget\n";
  if (scenario.flips > 0) out << "  disks flip bits\n";
  return out.str();
}

namespace {

Membership membership_of(std::uint32_t n) {
  Membership membership;
  for (NodeId id = 0; id < n; ++id) {
    membership.members.push_back({.id = id, .name = "node" + std::to_string(id + 1)});
  }
  return membership;
}

/// Not only 3f + 1, and now and then three liars at once.
std::uint32_t draw_nodes(Random& random) {
  if (random.chance(0.03)) return 10;
  return static_cast<std::uint32_t>(random.chance(0.5) ? 4 : random.between(5, 7));
}

void draw_settings(Scenario& scenario, Random& random) {
  pbft::Settings& settings = scenario.settings;
  settings.cluster = "simulated";
  settings.membership = membership_of(draw_nodes(random));
  settings.pool_bytes = 2'000'000;
  settings.round_timeout = milliseconds(random.between(std::uint64_t{50}, std::uint64_t{500}));
  settings.election_timeout = settings.round_timeout * random.between(1, 4);
  settings.batch_size = random.chance(0.5) ? 100 : random.between(1, 10);
  settings.batch_timeout = milliseconds(random.between(1, 10));
  if (random.chance(0.05)) {
    settings.fixed_leader = static_cast<NodeId>(random.below(settings.membership.members.size()));
  }
}

Treachery draw_treachery(const Scenario& scenario, NodeId self, Random& random) {
  Treachery treachery;
  const double often = random.chance(0.5) ? 0.15 : 0.4;
  treachery.equivocates = random.chance(2 * often);
  treachery.invents_calls = random.chance(often);
  treachery.wrong_new_view = random.chance(2 * often);
  treachery.omits_certificates = random.chance(often);
  treachery.forges_certificates = random.chance(often);
  treachery.bad_digests = random.chance(often / 2);
  treachery.replays = random.chance(often);
  treachery.foreign_epoch = random.chance(often / 2);
  treachery.lies_decided = random.chance(often);
  treachery.lies_status = random.chance(often);
  treachery.lies_shown = random.chance(often);
  treachery.rushes_views = random.chance(often / 2);
  treachery.rushes_clock = random.chance(often / 2);
  treachery.revives_calls = random.chance(often);
  const std::size_t n = scenario.settings.membership.members.size();
  if (random.chance(often)) {
    treachery.censors = static_cast<NodeId>((self + 1 + random.below(n - 1)) % n);
  }
  if (random.chance(often)) {
    treachery.origin = static_cast<Treachery::Origin>(random.between(1, 5));
  }
  if (random.chance(often / 2)) {
    treachery.delay = scenario.settings.round_timeout * random.between(5, 9) / 10;
    treachery.delays_proposals_only = random.chance(0.5);
  }
  treachery.withheld.assign(std::variant_size_v<Message>, 0);
  if (random.chance(often)) {
    const bool silent = random.chance(0.2);
    for (std::uint32_t& mask : treachery.withheld) {
      if (silent) {
        mask = ~0u;
      } else if (random.chance(0.3)) {
        mask = random.chance(0.4) ? ~0u : static_cast<std::uint32_t>(random.next());
      }
    }
  }
  return treachery;
}

void draw_traitors(Scenario& scenario, std::uint32_t most, Random& random) {
  if (most == 0) return;
  const auto n = static_cast<NodeId>(scenario.settings.membership.members.size());
  const std::uint64_t count = random.between(1, most);
  // Early leaders lie more often than their share.
  NodeId node = random.chance(0.5) ? static_cast<NodeId>(random.below(2))
                                   : static_cast<NodeId>(random.below(n));
  for (std::uint64_t i = 0; i < count; ++i) {
    scenario.traitors.push_back({.node = node,
                                 .twins = random.chance(0.1),
                                 .treachery = draw_treachery(scenario, node, random)});
    node = (node + 1) % n;
  }
}

void draw_network(Scenario& scenario, Random& random) {
  NetworkFaults& network = scenario.network;
  network.delay_min = microseconds(random.between(std::uint64_t{20}, std::uint64_t{200}));
  network.delay_max = network.delay_min * random.between(2, random.chance(0.3) ? 200 : 10);
  if (random.chance(0.4)) network.loss = random.chance(0.5) ? 0.01 : 0.1;
  if (random.chance(0.3)) network.duplicate = 0.05;
  if (random.chance(0.3)) network.straggle = 0.02;
  if (random.chance(0.2)) network.commit_loss = 0.5;
  network.keeps_order = random.chance(0.6);
  if (random.chance(0.5)) {
    scenario.partitions = {milliseconds(random.between(std::uint64_t{50}, std::uint64_t{1000})),
                           milliseconds(random.between(std::uint64_t{50}, std::uint64_t{1500}))};
    for (const auto cut :
         {Scenario::Cut::kHalves, Scenario::Cut::kRing, Scenario::Cut::kBridge,
          Scenario::Cut::kOneWay, Scenario::Cut::kFlapping, Scenario::Cut::kAlone}) {
      if (random.chance(0.5)) scenario.cuts.push_back(cut);
    }
    if (scenario.cuts.empty()) scenario.cuts.push_back(Scenario::Cut::kHalves);
  }
}

void draw_crashes(Scenario& scenario, Random& random) {
  scenario.crashes = {milliseconds(random.between(std::uint64_t{50}, std::uint64_t{800})),
                      milliseconds(random.between(std::uint64_t{20}, std::uint64_t{800}))};
  scenario.crash_within_step = random.chance(0.7) ? 0.8 : 0;
}

void draw_clients(Scenario& scenario, Random& random) {
  scenario.turns.mean = microseconds(random.between(std::uint64_t{3'000}, std::uint64_t{100'000}));
  scenario.burst = random.chance(0.7) ? random.between(1, 4) : random.between(5, 60);
  scenario.calls_max = 30'000;
  if (random.chance(0.2)) scenario.short_deadlines = 0.2;
}

void draw_machines(Scenario& scenario, Random& random) {
  scenario.disk.sync_max = microseconds(random.between(std::uint64_t{100}, std::uint64_t{5'000}));
  if (random.chance(0.2)) scenario.disk.slow = 0.02;
  if (random.chance(0.3)) {
    scenario.pauses = {milliseconds(random.between(std::uint64_t{100}, std::uint64_t{1000})),
                       milliseconds(random.between(std::uint64_t{20}, std::uint64_t{1000}))};
  }
  if (random.chance(0.4)) {
    scenario.clock_skew = milliseconds(random.between(std::uint64_t{1}, std::uint64_t{600}));
  }
  if (random.chance(0.2)) scenario.clock_jumps = {milliseconds(500), seconds(10)};
  if (random.chance(0.3)) scenario.apply_max = microseconds(random.between(50, 2'000));
  if (random.chance(0.1)) scenario.application_stops = {seconds(1), seconds(2)};
}

/// Last, so that seeds recorded without keys tell the same story.
void draw_keys(Scenario& scenario, Random& random) {
  scenario.barriers = random.chance(0.5) ? 0.1 : 0;
  if (random.chance(0.3)) return;
  scenario.keyed = random.chance(0.5) ? 0.1 : 0.6;
  scenario.keys = random.between(std::uint64_t{5}, std::uint64_t{500});
  KeyLimits& limits = scenario.settings.keys;
  if (random.chance(0.7)) {
    limits.keep = milliseconds(random.between(std::uint64_t{20}, std::uint64_t{2'000}));
  }
  if (random.chance(0.3)) limits.entries = random.between(std::uint64_t{1}, std::uint64_t{50});
  if (random.chance(0.3)) limits.bytes = random.between(std::uint64_t{500}, std::uint64_t{20'000});
}

}  // namespace

Scenario draw_scenario(std::uint64_t seed, std::optional<Profile> profile, std::uint64_t events) {
  Random random(seed);
  static const std::vector<Profile> kShares = {
      Profile::kSwarm,    Profile::kSwarm,    Profile::kSwarm,    Profile::kSwarm,
      Profile::kTraitors, Profile::kTraitors, Profile::kTraitors, Profile::kRestarts,
      Profile::kRestarts, Profile::kAmnesia,  Profile::kDisaster, Profile::kCalm};
  const Profile chosen = random.pick(kShares);

  Scenario scenario{.seed = seed, .profile = profile.value_or(chosen), .events = events};
  draw_settings(scenario, random);
  draw_clients(scenario, random);
  const std::uint32_t f = scenario.settings.membership.quorum().faulty();
  switch (scenario.profile) {
    case Profile::kSwarm:
      draw_network(scenario, random);
      draw_machines(scenario, random);
      if (random.chance(0.5)) draw_crashes(scenario, random);
      if (random.chance(0.5)) draw_traitors(scenario, f, random);
      break;
    case Profile::kTraitors:
      draw_traitors(scenario, f, random);
      if (random.chance(0.5)) draw_network(scenario, random);
      if (random.chance(0.5)) draw_crashes(scenario, random);
      break;
    case Profile::kRestarts:
      draw_crashes(scenario, random);
      draw_machines(scenario, random);
      if (random.chance(0.3)) draw_network(scenario, random);
      break;
    case Profile::kAmnesia:
      draw_crashes(scenario, random);
      if (random.chance(0.5)) draw_traitors(scenario, f - 1, random);
      scenario.amnesiacs = f - static_cast<std::uint32_t>(scenario.traitors.size());
      scenario.wipes = random.chance(0.3);
      if (random.chance(0.2)) scenario.flips = 0.5;
      if (random.chance(0.3)) draw_network(scenario, random);
      break;
    case Profile::kDisaster:
      draw_crashes(scenario, random);
      scenario.amnesiacs = f + 1;
      scenario.wipes = true;
      break;
    case Profile::kCalm:
      scenario.settings.round_timeout = milliseconds(500);
      scenario.settings.election_timeout = seconds(2);
      scenario.settings.batch_size = 100;  // with less, a burst alone can outlast the timer
      if (random.chance(0.7)) {
        // Not the leader, and no lie but about its own calls.
        const auto liar =
            static_cast<NodeId>(random.between(1, scenario.settings.membership.members.size() - 1));
        Traitor traitor{.node = liar};
        traitor.treachery.origin = static_cast<Treachery::Origin>(random.between(1, 4));
        traitor.treachery.content = true;
        traitor.treachery.withheld.assign(std::variant_size_v<Message>, 0);
        scenario.traitors.push_back(traitor);
      }
      if (random.chance(0.5)) scenario.application_stops = {seconds(1), seconds(60)};
      break;
  }
  draw_keys(scenario, random);
  // Liveness is not promised where the one who always leads lies, or has lost its memory.
  if (!scenario.traitors.empty() || scenario.amnesiacs > 0) scenario.settings.fixed_leader.reset();
  return scenario;
}

}  // namespace zap::simulation
