// SPDX-License-Identifier: Apache-2.0
// Clients: VMs without a device that use those of the driver VMs over links (drivervms/client/init). What counts is what the host finds
// outside the machine: the bytes that its peer sent and got, the files in the disk's image.
#include "dlaunch/session/live_report.hpp"
#include "dlaunch/session/policy_variant.hpp"
#include "dlaunch/session/report.hpp"
#include "drivervms/probe/digest.hpp"
#include "tests/platform/operator.hpp"

#include <cstring>
#include <fstream>

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::uint64_t mebibyte = 1 << 20;

using Client = session::ClientVm;

/// What differs from the standard machine.
struct Setting {
    fs::path operators = {}; // where the session takes orders
    fs::path sata = {};      // disk0 has a SATA disk with this file behind it instead of the NVMe
};

/// The build's policy with these clients, and driver VMs that leave the traffic to them.
fs::path policy_with(const Scratch& scratch, const session::Artefacts& built, const std::vector<Client>& clients, const Setting& setting) {
    const std::string standard_line = "command_line = \"console=ttyS0 quiet panic=-1";
    const auto silent = [&](const char* image, const char* parameter) {
        const std::string before = std::string{"initrd = \""} + image + "\"\n" + standard_line;
        return std::pair{before, before + " " + parameter};
    };
    session::Changes changes{silent("net0.img", "cm.net_mb=0"), silent("disk0.img", "cm.disk_mb=0")};
    if (!setting.sata.empty()) { // which has no reset, so the policy must not ask for one
        changes.emplace_back("address = \"00:04.0\"\nid = \"1b36:0010\"", "address = \"00:05.0\"\nid = \"8086:2922\"");
        changes.emplace_back("resets = [\"function-level\"]\n", "");
    }
    auto source = session::changed_source(built, changes);
    std::string text = source.ok() ? source.value() : "";
    for (const Client& client : clients) text += session::client_tables(client);
    const auto policy = session::compile_policy(built, scratch.path(), text);
    if (!policy.ok()) std::printf("  %s\n", policy.error().text.c_str());
    return policy.ok() ? policy.value() : fs::path{};
}

/// A session of that policy; null when it does not start.
std::unique_ptr<Session> begin_with(Context& context, const Scratch& scratch, const std::vector<Client>& clients, const Setting& setting = {}) {
    SessionConfig config = standard(context);
    const fs::path policy = policy_with(scratch, config.artefacts, clients, setting);
    config.reference = reference_for(context, scratch, policy, config.artefacts.images());
    if (!context.expect(!config.reference.empty(), "the policy compiles and is predicted")) return nullptr;
    config.replaced["policy.cbor"] = policy;
    config.replaced["client.img"] = config.artefacts.images() / "client.img";
    config.operator_directory = setting.operators;
    if (!setting.sata.empty())
        config.extra_qemu_arguments = {"-drive", "if=none,format=raw,id=sata,file=" + setting.sata.string(), "-device", "ich9-ahci,id=ahci,bus=pcie.0,addr=05.0",
                                       "-device", "ide-hd,drive=sata,bus=ahci.0"};
    config.uploads = scratch.path() / "uploads";
    fs::create_directory(config.uploads);
    return begin(context, std::move(config));
}

/// What that VM has proved so far, in order; errors too.
std::vector<ConsoleEvent> proofs_of(const Observation& seen, std::string_view vm) {
    std::vector<ConsoleEvent> proofs;
    for (const std::string& line : seen.lines)
        if (const auto said = session::parse_vm_line(line); said && said->vm == vm)
            if (auto proof = session::parse_proof(said->text)) proofs.push_back(std::move(*proof));
    return proofs;
}

bool says(const Observation& seen, std::string_view vm, std::string_view text) {
    return std::ranges::any_of(seen.lines, [&](const std::string& line) {
        const auto said = session::parse_vm_line(line);
        return said && said->vm == vm && said->text.find(text) != std::string::npos;
    });
}

std::ptrdiff_t count(const Observation& seen, std::string_view name, const session::Fields& fields) {
    return std::ranges::count_if(seen.events, [&](const auto& each) {
        return each.event.name == name && std::ranges::all_of(fields, [&](const auto& f) { return each.event.get(f.first) == f.second; });
    });
}

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, decltype(&pclose)> pipe{popen(command.c_str(), "r"), &pclose};
    std::string output;
    char buffer[65536];
    while (const std::size_t size = pipe ? std::fread(buffer, 1, sizeof buffer, pipe.get()) : 0) output.append(buffer, size);
    return output;
}

std::string sha256(std::string_view data) {
    probe::Digest digest;
    digest.update({reinterpret_cast<const std::uint8_t*>(data.data()), data.size()});
    return digest.hex();
}

std::string sha256_of_pattern(const Context& context, std::uint64_t bytes, unsigned seed) {
    const std::string peer = session::Artefacts{context.build()}.program("casemate-peer");
    return output_of(peer + " digest " + std::to_string(bytes) + " " + std::to_string(seed)).substr(0, 64);
}

/// Every VM's image was as predicted, and no client needed a grant.
void expect_clients_attested(Context& context, Session& session, const std::vector<Client>& clients) {
    const Observation& seen = session.seen();
    for (const Client& client : clients)
        context.expect(count(seen, "vm_started", {{"vm", client.name}}) == 1 && count(seen, "vm_stopped", {{"vm", client.name}}) == 0,
                       std::string{client.name} + " started once and never stopped");
    context.expect(seen.count("grant_accepted") == 2, "a grant for each of the two devices, none for a client");
    context.expect(session.run_until([&](const Observation&) { return session::last_log_is_current(session); }, seconds{120}),
                   "the newest evidence covers the whole ledger");
    context.expect(newest_reasons(session).contains("affirming"), "and the verifier affirms it");
}

void expect_transfers(Context& context, const Session& session, const Scratch& scratch, const Client& client, unsigned seed) {
    const auto proofs = proofs_of(session.seen(), client.name);
    if (!context.expect(proofs.size() == 1 && proofs[0].get("error").empty(), std::string{client.name} + " moved its data without an error")) return;
    const ConsoleEvent& proof = proofs[0];
    context.expect(proof.get("address").starts_with("10.0.2."), "  with an address of the NIC's network: " + proof.get("address"));
    context.expect(proof.get("rx_bytes") == std::to_string(128 * mebibyte) && proof.get("rx_sha256") == session.download_sha256(),
                   "  it got the 128 MiB that the peer sends");
    const std::string sent = sha256_of_pattern(context, 32 * mebibyte, seed);
    std::ifstream result{scratch.path() / "uploads" / (sent + ".json")};
    const auto arrived = nlohmann::json::parse(result, nullptr, false);
    context.expect(proof.get("tx_sha256") == sent && arrived.is_object() && arrived["bytes"] == 32 * mebibyte,
                   "  and the peer got the 32 MiB that only this client sends");
}

/// Both drivers run, and the status tells of at least what the host saw arrive.
void expect_traffic(Context& context, Session& session, const Client& client, std::uint64_t to_client, std::uint64_t from_client) {
    const auto sent = [&](const nlohmann::json& end, const std::string& vm, const std::string& peer, std::uint64_t bytes) {
        return end["vm"] == vm && end["peer"] == peer && end["state"] == "up" && end["counts"].value("bytes", std::uint64_t{0}) >= bytes;
    };
    const auto both_ways = [&](const Observation& seen) {
        const auto ends = session::link_end_list(seen.status);
        return std::ranges::any_of(ends, [&](const auto& end) { return sent(end, client.server, client.name, to_client); }) &&
               std::ranges::any_of(ends, [&](const auto& end) { return sent(end, client.name, client.server, from_client); });
    };
    context.expect(session.run_until(both_ways, seconds{30}), std::string{"the status shows what "} + client.name + " moved over its link, both ways");
}

const Registration network{"two-clients-use-the-network-through-one-driver-vm", [](Context& context) {
    const Scratch scratch;
    const std::vector<Client> clients = {{"client0", 0, "net0", "cm.net=1 cm.seed=20"}, {"client1", 1, "net0", "cm.net=1 cm.seed=21"}};
    const auto session = begin_with(context, scratch, clients);
    if (!session) return;
    const auto done = [](const Observation& seen) { return says(seen, "client0", "step=done") && says(seen, "client1", "step=done"); };
    context.expect(session->run_until(done, seconds{560}), "both clients come to an end");
    expect_transfers(context, *session, scratch, clients[0], 20);
    expect_transfers(context, *session, scratch, clients[1], 21);
    for (const Client& client : clients) expect_traffic(context, *session, client, 128 * mebibyte, 32 * mebibyte);
    const auto one = proofs_of(session->seen(), "client0"), other = proofs_of(session->seen(), "client1");
    if (!one.empty() && !other.empty()) context.expect(one[0].get("address") != other[0].get("address"), "each has an address of its own");
    expect_clients_attested(context, *session, clients);
}};

/// That many partitions of 128 MiB in the DOS table of the disk's image.
void write_partitions(const fs::path& image, unsigned partitions) {
    constexpr std::uint32_t sectors = 128 * mebibyte / 512, first = 2048;
    std::uint8_t block[512] = {};
    for (unsigned i = 0; i < partitions; ++i) {
        std::uint8_t* entry = block + 446 + 16 * i;
        const std::uint32_t start = first + i * sectors;
        entry[4] = 0x83; // Linux
        std::memcpy(entry + 8, &start, sizeof start);
        std::memcpy(entry + 12, &sectors, sizeof sectors);
    }
    block[510] = 0x55, block[511] = 0xaa;
    std::fstream{image, std::ios::binary | std::ios::in | std::ios::out}.write(reinterpret_cast<const char*>(block), sizeof block);
}

/// The file system of a client begins at `offset` of the disk's image and holds its files.
void expect_files(Context& context, const Session& session, const fs::path& image, const Client& client, unsigned seed, std::uint64_t offset, unsigned files = 3) {
    const auto proofs = proofs_of(session.seen(), client.name);
    context.expect(proofs.size() == files, std::string{client.name} + " wrote and read back " + std::to_string(files) + " files");
    for (unsigned i = 0; i < files && i < proofs.size(); ++i) {
        const std::string written = sha256_of_pattern(context, 8 * mebibyte, seed + i);
        context.expect(proofs[i].get("error").empty() && proofs[i].get("read_sha256") == written, "  file " + std::to_string(i + 1) + " as it was written");
        const std::string stored = output_of("/sbin/debugfs -R 'cat /casemate/file" + std::to_string(i + 1) + "' '" + image.string() +
                                             "?offset=" + std::to_string(offset) + "' 2> /dev/null");
        context.expect(sha256(stored) == written, "  and so it stands in the disk's image on the host");
    }
}

const Registration block{"a-client-keeps-files-on-the-disk-of-a-driver-vm", [](Context& context) {
    const Scratch scratch;
    const std::vector<Client> clients = {{"client0", 1, "disk0", "cm.disk=1:1 cm.seed=30"}};
    const auto session = begin_with(context, scratch, clients);
    if (!session) return;
    context.expect(session->run_until([](const Observation& seen) { return says(seen, "client0", "step=done"); }, seconds{400}),
                   "the client comes to an end");
    expect_files(context, *session, session->nvme_image(), clients[0], 30, 0);
    expect_traffic(context, *session, clients[0], 24 * mebibyte, 24 * mebibyte);
    expect_clients_attested(context, *session, clients);
}};

const Registration several{"three-clients-keep-files-each-on-its-own-part-of-one-disk", [](Context& context) {
    const Scratch scratch;
    const std::vector<Client> clients = {{"client0", 0, "disk0", "cm.disk=1:1 cm.seed=40"},
                                         {"client1", 1, "disk0", "cm.disk=1:2 cm.seed=50"},
                                         {"client2", 1, "disk0", "cm.disk=1:3 cm.seed=60"}};
    const auto session = begin_with(context, scratch, clients);
    if (!session) return;
    write_partitions(session->nvme_image(), 3); // long before a VM has the disk
    const auto done = [&](const Observation& seen) {
        return std::ranges::all_of(clients, [&](const Client& client) { return says(seen, client.name, "step=done"); });
    };
    context.expect(session->run_until(done, seconds{560}), "all clients come to an end");
    for (unsigned i = 0; i < clients.size(); ++i)
        expect_files(context, *session, session->nvme_image(), clients[i], 40 + 10 * i, mebibyte + i * 128 * mebibyte);
    expect_clients_attested(context, *session, clients);
}};

const Registration sata{"a-client-keeps-files-on-the-sata-disk-of-a-driver-vm", [](Context& context) {
    const Scratch scratch;
    const std::vector<Client> clients = {{"client0", 1, "disk0", "cm.disk=1:1 cm.seed=90"}};
    const fs::path image = scratch.path() / "sata.img";
    std::ofstream{image};
    fs::resize_file(image, 256 * mebibyte);
    const auto session = begin_with(context, scratch, clients, {.sata = image});
    if (!session) return;
    context.expect(session->run_until([](const Observation& seen) { return says(seen, "client0", "step=done"); }, seconds{400}),
                   "the client comes to an end");
    expect_files(context, *session, image, clients[0], 90, 0);
    expect_clients_attested(context, *session, clients);
}};

/// Restarts a client's server in the midst of what it does: `into` after its line with `busy`, before the one with `done`.
void restart_under(Context& context, Session& session, const fs::path& operators, const Client& client, const char* busy, seconds into,
                   const char* done) {
    const Observation& seen = session.seen();
    if (!context.expect(session.run_until([&](const Observation& s) { return says(s, client.name, busy); }, seconds{400}), client.name + " is at work")) return;
    (void)session.run_until([](const Observation&) { return false; }, into);
    const std::string refused = order(session, operators, "restart", client.server.c_str());
    context.expect(refused.empty(), "the order to restart " + client.server + " is accepted " + refused);
    const auto back = [&](const Observation& s) { return count(s, "vm_started", {{"vm", client.server}, {"start", "2"}}) == 1; };
    context.expect(session.run_until(back, seconds{60}), client.server + " is back");
    context.expect(count(seen, "vm_started", {{"vm", client.server}, {"start", "2"}, {"warm", "1"}}) == 1, "  from its snapshot");
    context.expect(!says(seen, client.name, done), "  before " + client.name + " had finished what it was doing");
}

// A connection that was open, a file system that was mounted and files half written are still those when the driver VM is back.
const Registration outlive{"clients-keep-their-connection-and-their-mount-while-their-driver-vms-restart", [](Context& context) {
    const Scratch scratch;
    const std::vector<Client> clients = {{"client0", 1, "net0", "cm.net=1 cm.seed=70"}, {"client1", 0, "disk0", "cm.disk=1:1 cm.disk_files=20 cm.seed=80"}};
    const fs::path operators = scratch.path() / "operators";
    const auto session = begin_with(context, scratch, clients, {.operators = operators});
    if (!session) return;
    restart_under(context, *session, operators, clients[0], "step=address", seconds{2}, "CM_PROOF");
    restart_under(context, *session, operators, clients[1], "step=mounted", seconds{0}, "step=unmounted");
    const auto done = [](const Observation& seen) { return says(seen, "client0", "step=done") && says(seen, "client1", "step=done"); };
    context.expect(session->run_until(done, seconds{400}), "both clients come to an end");
    expect_transfers(context, *session, scratch, clients[0], 70);
    expect_files(context, *session, session->nvme_image(), clients[1], 80, 0, 20);
    context.expect(count(session->seen(), "draining", {}) == 0, "both driver VMs kept their devices");
    expect_clients_attested(context, *session, clients);
}};

} // namespace

} // namespace casemate::platform_test
