// SPDX-License-Identifier: Apache-2.0
// What sealed secrets are for, as their owner does it: `casemate provision`, `casemate secret put`, then the platform starts. The disk driver VM
// unlocks its encrypted volume and unlocks it again after a restart; the network driver VM brings up its tunnel, and the other end, which knows
// its public key alone, answers.
#include "dlaunch/session/policy_variant.hpp"
#include "tests/platform/operator.hpp"

#include "attest/relay/encoding.hpp"
#include "drivervms/probe/pattern.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <openssl/evp.h>

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::size_t disk_megabytes = 16;
constexpr std::uint64_t disk_seed = 3; // drivervms/probe/main.cpp

/// X25519, in base64 as WireGuard writes keys.
struct TunnelKey {
    std::string secret, open;
};

TunnelKey make_tunnel_key() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), &EVP_PKEY_free};
    std::array<std::uint8_t, 32> secret{}, open{};
    std::size_t size = secret.size();
    if (!key || EVP_PKEY_get_raw_private_key(key.get(), secret.data(), &size) != 1) return {};
    size = open.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), open.data(), &size) != 1) return {};
    return {relay::to_base64(secret), relay::to_base64(open)};
}

/// The build's policy with the images that use a secret, and a client that is the tunnel's other end.
fs::path policy_of(const Context& context, const Scratch& scratch, const TunnelKey& ours, const TunnelKey& far) {
    const session::Artefacts built{context.build()};
    const std::string line = "command_line = \"console=ttyS0 quiet panic=-1";
    const session::Changes changes{
        {"initrd = \"net0.img\"\n" + line, "initrd = \"tunnel.img\"\n" + line +
             " cm.net_mb=0 cm.secrets=1 cm.tunnel=tunnel-key cm.tunnel_address=10.99.0.1/24 cm.tunnel_allowed=10.99.0.2/32 cm.tunnel_ping=10.99.0.2 cm.tunnel_peer=" + far.open},
        {"initrd = \"disk0.img\"\n" + line, "initrd = \"vault.img\"\n" + line + " cm.secrets=1 cm.volume=volume-key cm.disk_mb=" + std::to_string(disk_megabytes)}};
    const auto source = session::changed_source(built, changes);
    if (!source.ok()) return {};
    const session::ClientVm client{.name = "client0", .core = 0, .server = "net0",
                                   .parameters = "cm.net=1 cm.net_address=10.0.2.50/24 cm.tunnel_address=10.99.0.2/24 cm.tunnel_allowed=10.99.0.1/32 "
                                                 "cm.tunnel_peer_at=10.0.2.15:51820 cm.tunnel_ping=10.99.0.1 cm.tunnel_key=" + far.secret + " cm.tunnel_peer=" + ours.open,
                                   .image = "tunnel-client"};
    const auto policy = session::compile_policy(built, scratch.path(), source.value() + session::client_tables(client));
    return policy.ok() ? policy.value() : fs::path{};
}

/// `casemate ARGUMENTS`, with `text` on its standard input.
bool owner_command(const Context& context, const Scratch& scratch, const std::string& arguments, const std::string& text = {}) {
    const fs::path input = scratch.path() / "input";
    std::ofstream{input, std::ios::binary | std::ios::trunc} << text;
    const session::Artefacts built{context.build()};
    const std::string command = "'" + built.program("casemate-owner").string() + "' --build '" + built.build.string() + "' " + arguments + " --platform '" +
                                (scratch.path() / "platform").string() + "' < '" + input.string() + "' > /dev/null";
    return std::system(command.c_str()) == 0;
}

/// The words of the last line of that VM that proves `what`; empty when there is none.
session::ConsoleEvent proof(const Observation& seen, std::string_view vm, std::string_view what) {
    for (auto line = seen.lines.rbegin(); line != seen.lines.rend(); ++line)
        if (const auto said = session::parse_vm_line(*line); said && said->vm == vm)
            if (auto found = session::parse_proof(said->text); found && found->name == what) return std::move(*found);
    return {};
}

std::string image_of(const fs::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

/// The first 64 bytes of what cm-probe wrote into the volume.
std::string written_pattern() {
    std::array<std::uint8_t, 64> bytes{};
    probe::Pattern{disk_seed}.fill(bytes);
    return {bytes.begin(), bytes.end()};
}

const Registration jobs{"driver-vms-unlock-a-volume-and-a-tunnel-with-the-secrets-that-their-owner-sealed-to-them", [](Context& context) {
    const Scratch scratch;
    const TunnelKey ours = make_tunnel_key(), far = make_tunnel_key();
    SessionConfig config = standard(context);
    const fs::path policy = policy_of(context, scratch, ours, far);
    config.reference = reference_for(context, scratch, policy, config.artefacts.images());
    if (!context.expect(!config.reference.empty(), "the policy compiles and is predicted")) return;
    const std::string reference = " --reference '" + config.reference.string() + "'";
    context.expect(owner_command(context, scratch, "provision --emulated"), "casemate provision");
    context.expect(owner_command(context, scratch, "secret put net0 tunnel-key" + reference, ours.secret + "\n"), "casemate secret put net0 tunnel-key");
    context.expect(owner_command(context, scratch, "secret put disk0 volume-key" + reference, "a key of thirty-two bytes, random"), "casemate secret put disk0 volume-key");

    config.replaced["policy.cbor"] = policy;
    for (const char* image : {"vault.img", "tunnel.img", "tunnel-client.img"}) config.replaced[image] = config.artefacts.images() / image;
    config.platform = scratch.path() / "platform";
    const auto directory = config.operator_directory = scratch.path() / "operators";
    const auto session = begin(context, std::move(config));
    if (!session) return;
    const Observation& seen = session->seen();
    const auto ended = [&](const Observation& s) {
        const bool locked = !proof(s, "disk0", "volume").get("error").empty();
        return !proof(s, "net0", "tunnel").name.empty() && (locked || !proof(s, "disk0", "disk").name.empty());
    };
    context.expect(session->run_until(ended, seconds{300}), "both jobs come to an end");
    const auto tunnel = proof(seen, "net0", "tunnel"), volume = proof(seen, "disk0", "volume"), disk = proof(seen, "disk0", "disk");
    context.expect(tunnel.get("error").empty() && tunnel.get("public") == ours.open, "net0's tunnel has the sealed key, and its other end answers");
    context.expect(volume.get("error").empty() && volume.get("new") == "yes", "disk0 made an encrypted volume on the empty disk");
    context.expect(!disk.name.empty() && disk.get("error").empty() && disk.get("write_sha256") == disk.get("read_sha256"), "  and reads back what it wrote into it");

    const std::string image = image_of(session->nvme_image()), pattern = written_pattern();
    context.expect(image.starts_with(std::string{"LUKS\xba\xbe"}), "on the disk there is a LUKS volume");
    context.expect(image.find(pattern) == std::string::npos, "  and nothing of what was written in the clear");

    context.expect(order(*session, directory, "restart", "disk0").empty(), "the order to restart disk0 is accepted");
    const auto again = [&](const Observation& s) { return proof(s, "disk0", "volume").get("new") == "no"; };
    context.expect(session->run_until(again, seconds{120}), "after its restart disk0 opens the volume that is there");
}};

} // namespace

} // namespace casemate::platform_test
