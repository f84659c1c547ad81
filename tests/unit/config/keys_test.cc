#include "config/keys.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "config/certificates.h"
#include "tests/unit/config/fixture.h"

namespace zap::config {

TEST_CASE("RFC 8032, 7.1, test 1: the public key of a seed") {
  PrivateKey key;
  const std::string seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  for (std::size_t i = 0; i < 32; ++i) {
    key.seed[i] = static_cast<std::uint8_t>(std::stoi(seed.substr(2 * i, 2), nullptr, 16));
  }
  CHECK(to_string(public_key_of(key)) == "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST_CASE("a private key survives PEM, a public key its text") {
  const PrivateKey key = *generate_private_key();
  CHECK(to_pem(key).substr(0, 27) == "-----BEGIN PRIVATE KEY-----");
  CHECK(parse_private_key(to_pem(key))->seed == key.seed);
  CHECK(*parse_public_key(to_string(public_key_of(key))) == public_key_of(key));
}

TEST_CASE("what is no key is refused") {
  const std::string good = to_string(public_key_of(*generate_private_key()));
  CHECK_FALSE(parse_public_key(good.substr(8)));
  CHECK_FALSE(parse_public_key(good + "="));
  CHECK_FALSE(parse_public_key(good.substr(0, good.size() - 1)));
  CHECK_FALSE(parse_public_key("ed25519:" + std::string(44, '!')));
  CHECK_FALSE(parse_public_key("ed25519:" + std::string(44, 'A')));  // 33 bytes
  CHECK_FALSE(parse_private_key(""));
  CHECK_FALSE(parse_private_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
}

TEST_CASE("init's files: which, with which modes") {
  const GeneratedCluster cluster({.nodes = 4});
  const auto mode = [&](const char* name) {
    struct stat status {};
    REQUIRE(::stat((cluster.folder() / name).c_str(), &status) == 0);
    return status.st_mode & 0777;
  };
  for (const char* secret : {"node1.key", "node4.key", "node1.token", "node4.token",
                             "operator/operator.key", "operator/cluster-ca.key"}) {
    CHECK(mode(secret) == 0600);
  }
  for (const char* open : {"node1.yaml", "node4.yaml", "node1.crt", "cluster-ca.crt"}) {
    CHECK(mode(open) == 0644);
  }
  CHECK(mode("operator") == 0700);
}

TEST_CASE("init follows no symbolic link") {
  const TemporaryFolder elsewhere;
  const TemporaryFolder folder;
  const auto error = [&] {
    const auto files = generate_cluster({.folder = folder.path()});
    return files ? "" : files.error().message;
  };
  SECTION("to a folder for the operator's keys") {
    std::filesystem::create_directory_symlink(elsewhere.path(), folder.path() / "operator");
    CHECK_THAT(error(), Catch::Contains("symbolic link"));
    CHECK(std::filesystem::is_empty(elsewhere.path()));
  }
  SECTION("that leads nowhere: nothing is written") {
    std::filesystem::create_symlink(folder.path() / "nowhere", folder.path() / "node1.key");
    CHECK_THAT(error(), Catch::Contains("node1.key is there already"));
    CHECK_FALSE(std::filesystem::exists(folder.path() / "cluster-ca.crt"));
    CHECK(std::filesystem::is_empty(folder.path() / "operator"));
  }
}

TEST_CASE("a node's certificate names it, its host and its key") {
  const GeneratedCluster cluster;
  const auto facts = load_certificate(cluster.folder() / "node1.crt");
  REQUIRE(facts);
  CHECK(facts->node_id == "node1");
  CHECK(facts->hosts == std::vector<std::string>{"127.0.0.1"});
  CHECK(facts->public_key == public_key_of(*load_private_key(cluster.folder() / "node1.key")));
  CHECK(verify_certificate(cluster.folder() / "node1.crt", cluster.folder() / "cluster-ca.crt"));
}

TEST_CASE("a renewed certificate is another one for the same key") {
  const GeneratedCluster cluster;
  const Path file = cluster.folder() / "node1.crt";
  const std::string before = *read_file(file);
  REQUIRE(renew_certificate(cluster.folder(), "node1"));
  CHECK(*read_file(file) != before);
  CHECK(load_certificate(file)->hosts == std::vector<std::string>{"127.0.0.1"});
  CHECK(load(cluster.file()));
}

TEST_CASE("a newcomer gets key, certificate and token, once") {
  const GeneratedCluster cluster;
  const auto key = generate_newcomer(cluster.folder(), "node5", "db5.example");
  REQUIRE(key);
  CHECK(load_certificate(cluster.folder() / "node5.crt")->public_key == *key);
  CHECK(verify_certificate(cluster.folder() / "node5.crt", cluster.folder() / "cluster-ca.crt"));
  CHECK_FALSE(generate_newcomer(cluster.folder(), "node5", "db5.example"));
  CHECK_FALSE(generate_newcomer(cluster.folder(), "node6,DNS:node1", "db5.example"));
  CHECK_FALSE(generate_newcomer(cluster.folder(), "node6", "a,DNS:node1"));
}

TEST_CASE("real hosts have the same ports; nodes on one host count up") {
  const GeneratedCluster cluster({.nodes = 4, .hosts = {"a", "b", "::1", "a"}});
  const auto config = load(cluster.folder() / "node4.yaml");
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  CHECK(config->consensus.nodes[1].address == "b:9001");
  CHECK(config->consensus.nodes[2].address == "[::1]:9001");
  CHECK(config->consensus.nodes[3].address == "a:9002");
  CHECK(to_string(config->listeners[0].address) == "a:8082");
  CHECK(to_string(config->listeners[0].app.address) == "127.0.0.1:5002");
}

TEST_CASE("plans that cannot be are refused before a file is written") {
  CHECK(cluster_error({.nodes = 3}) ==
        "3 nodes are too few for pbft: to survive f nodes that lie it takes 3f+1, so 4 or more; "
        "--protocol zab is for 3, 5 or 7");
  CHECK(cluster_error({.hosts = {"a"}}) == "1 hosts for 4 nodes; give one --host for each");
  CHECK(cluster_error({.base_port = 65533}) ==
        "port 65533 plus 3 is no port; choose one from 1 to 65535");
  CHECK(cluster_error({.app = {.unix_path = "/run/app"}}) ==
        "several nodes on 127.0.0.1 cannot share unix:/run/app: each needs an application of its "
        "own; use host:port");
}

}  // namespace zap::config
