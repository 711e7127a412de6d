// SPDX-License-Identifier: Apache-2.0
// A driver VM whose root attacks everybody with the device that it holds (drivervms/hostile): Debian's kernel, and QEMU's `edu`
// for DMA to any address and MSIs with any content. The IOMMU of QEMU logs no event and devices report success for blocked
// DMA: what counts is physical memory, which the test reads from outside.
#include "dlaunch/session/report.hpp"
#include "tests/faults/physical_memory.hpp"
#include "tests/platform/fixture.hpp"

#include <algorithm>
#include <sstream>

namespace casemate::platform_test {

namespace {

namespace fs = std::filesystem;
using faults::PhysicalMemory;
using std::chrono::seconds;

constexpr std::uint64_t mebibyte = 1 << 20, edu_memory = 128 * mebibyte, emulated_ram = 2048 * mebibyte;
constexpr std::uint64_t read_step = 32 * mebibyte, read_size = 2048; // as drivervms/hostile/attacks.cpp reads

constexpr const char* edu_vm = R"([[vm]]
name = "edu0"
role = "driver"
kernel = "vmlinuz"
initrd = "hostile.img"
command_line = "console=ttyS0 quiet panic=-1"
memory_mib = 128
core = 1
placement = "shared"

)";
constexpr const char* edu_device = R"([[device]]
address = "00:05.0"
id = "1234:11e8"
holders = ["edu0"]
rights = ["dma", "interrupts", "mmio"]
max_lease = 60

)";

/// The value of `key` in the line `CM_HOSTILE <attack> ...`; empty when there is none.
std::string told(const Observation& seen, const std::string& attack, const std::string& key) {
    for (const std::string& line : seen.lines) {
        const std::size_t at = line.find("CM_HOSTILE " + attack + " ");
        if (at == std::string::npos) continue;
        std::istringstream words{line.substr(at)};
        for (std::string word; words >> word;)
            if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
    }
    return "";
}

std::uint64_t number(const std::string& text) { return text.empty() ? 0 : std::stoull(text, nullptr, 0); }

/// Whether the bytes there are more than one value repeated: a leak of them would be seen.
bool has_content(const PhysicalMemory& memory, std::uint64_t at, std::uint64_t size) {
    const std::string_view bytes = memory.bytes().substr(at, size);
    return std::ranges::any_of(bytes, [&](char byte) { return byte != bytes[0]; });
}

/// Where the hostile VM's memory starts, told by the two pages between which it moved the pattern itself.
std::optional<std::uint64_t> own_memory(const std::set<std::uint64_t>& pattern_at, std::uint64_t from, std::uint64_t to) {
    for (const std::uint64_t at : pattern_at)
        if (at >= from && (at - from) % (2 * mebibyte) == 0 && pattern_at.contains(at - from + to)) return at - from;
    return std::nullopt;
}

void expect_memory_untouched(Context& context, Session& session) {
    const Observation& seen = session.seen();
    const faults::Standstill meanwhile{session};
    const auto memory = PhysicalMemory::read(session, emulated_ram);
    if (!context.expect(memory.has_value(), "physical memory can be read from outside")) return;
    const auto pattern_at = memory->find("casemate-hostile-dma-pattern-012");
    const auto base = own_memory(pattern_at, number(told(seen, "own_dma", "from")), number(told(seen, "own_dma", "to")));
    if (!context.expect(base.has_value(), "the attacker's pattern is in its own memory, where its device moved it")) return;
    std::size_t foreign = 0;
    for (const std::uint64_t at : pattern_at) foreign += at < *base || at >= *base + edu_memory;
    context.expect(foreign == 0, "and nowhere else in physical memory (" + std::to_string(foreign) + " of " +
                                     std::to_string(pattern_at.size()) + " places)");
    std::size_t telling = 0;
    for (std::uint64_t at = edu_memory; at < emulated_ram; at += read_step)
        telling += (at < *base || at >= *base + edu_memory) && has_content(*memory, at, read_size);
    context.expect(telling > 0 && told(seen, "dma_reads", "leaked") == "0",
                   "its device read none of the others' memory, " + std::to_string(telling) + " places of which would have told");
}

void expect_attacks(Context& context, const Observation& seen) {
    const auto same = [&](const char* attack, const char* one, const char* other, const std::string& sentence) {
        const std::string tried = told(seen, attack, one);
        context.expect(number(tried) > 0 && tried == told(seen, attack, other), sentence + " (" + tried + ")");
    };
    context.expect(told(seen, "own_dma", "works") == "1", "its device moves data within its own memory");
    same("dma_writes", "tried", "finished", "its device was told to write to memory and registers of others");
    context.expect(number(told(seen, "dma_reads", "tried")) > 0, "and to read them");
    context.expect(number(told(seen, "interrupts", "msi")) > 0 && number(told(seen, "interrupts", "dma")) > 0,
                   "it sent the interrupts of others by MSI and by DMA");
    same("msrs", "tried", "refused", "every forbidden MSR is refused");
    same("hypercalls", "tried", "unknown", "every hypercall is unknown");
    context.expect(number(told(seen, "ports", "tried")) > 60000 && told(seen, "ports", "answered") == "0",
                   "no port answers but the virtual platform's");
}

void expect_others_work(Context& context, Session& session) {
    context.expect(session.run_until(both_proved, seconds{300}), "net0 and disk0 finish their work");
    const auto traffic = session::make_report(session, {})["traffic"];
    for (const char* kind : {"net", "disk"})
        context.expect(traffic[kind].is_object() && traffic[kind]["agrees"] == true,
                       std::string{"with the right checksum: "} + kind);
    for (const char* vm : {"agent", "net0", "disk0"})
        context.expect(session.seen().find("vm_stopped", {{"vm", vm}}) == nullptr, std::string{vm} + " goes on");
    context.expect(session.seen().ending.empty(), "the hypervisor runs on " + session.seen().ending);
}

const Registration hostile_linux{"a-hostile-root-in-a-driver-vm-reaches-nothing-with-its-device", [](Context& context) {
    const Scratch scratch;
    const session::Artefacts built{context.build()};
    const fs::path policy = changed_policy(
        context, scratch,
        {{"initrd = \"disk0.img\"\ncommand_line = \"", "initrd = \"disk0.img\"\ncommand_line = \"cm.disk_mb=64 "},
         {"# e1000e:", edu_vm + std::string{"# e1000e:"}},
         {"# NVMe", edu_device + std::string{"# NVMe"}}});
    const fs::path reference = policy.empty() ? fs::path{} : reference_for(context, scratch, policy, built.images());
    if (!context.expect(!reference.empty(), "a policy with the hostile VM compiles and is predicted")) return;

    SessionConfig config = standard(context);
    config.replaced["policy.cbor"] = policy;
    config.replaced["hostile.img"] = built.images() / "hostile.img";
    config.reference = reference;
    config.extra_qemu_arguments = {"-device", "edu,dma_mask=0xffffffffffffffff,bus=pcie.0,addr=05.0"};
    const auto session = begin(context, std::move(config));
    if (!session) return;
    context.expect(session->run_until(both_assigned, seconds{300}), "the devices of the others are handed over");
    if (!context.expect(session->run_until([](const Observation& s) { return s.said("CM_HOSTILE done"); }, seconds{300}),
                        "the hostile VM gets its device and tries everything"))
        return;
    expect_memory_untouched(context, *session);
    expect_attacks(context, session->seen());
    context.expect(session->run_until([](const Observation& s) { return s.find("vm_stopped", {{"vm", "edu0"}}); }, seconds{120}),
                   "its touch of the TPM's locality page ends it");
    const auto* stopped = session->seen().find("vm_stopped", {{"vm", "edu0"}});
    context.expect(stopped && stopped->event.get("cause") == "3" && stopped->event.get("reason") == "12",
                   "with cause 3, reason 12");
    const auto taken = [](const Observation& s) {
        return std::ranges::count_if(s.events, [](const session::SeenEvent& seen) {
                   return seen.event.name == "device_reset" && seen.event.get("device") == "00:05.0";
               }) == 2;
    };
    context.expect(session->run_until(taken, seconds{30}), "and its device is taken from it until it is restarted");
    expect_others_work(context, *session);
}};

} // namespace

} // namespace casemate::platform_test
