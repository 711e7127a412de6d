// SPDX-License-Identifier: Apache-2.0
// Breadth of devices: one launch with two driver VMs, under two flavours of Debian's kernel, that hold many devices. Debian's own
// driver works each with real I/O (drivervms/breadth/init). What counts is what the host finds outside the machine: the bytes that its
// peer sent and got, that a disk's file holds, that a random source gave, that a sound file holds. docs/devices.md lists what was seen.
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

constexpr std::size_t mib = 1 << 20, megabytes = 4, bytes = megabytes * mib;
constexpr const char* download_seed = "5";
constexpr const char* restarted_vm = "mixed"; // its devices have no reset, and work again all the same

struct Device {
    const char* name; // of QEMU's objects and of the host's file
    const char* id;
    const char* prove;
    const char* driver;            // as the guest's kernel names it
    const char* messages;          // kind of interrupt
    std::vector<std::string> qemu; // @ stands for the place on the bus
};

const std::string modern = "iommu_platform=on,disable-legacy=on,@";

const std::vector<Device> mixed = {
    {"e1000", "8086:100e", "net", "e1000", "intx", {"e1000,netdev=e1000,romfile=,@"}},
    {"vmxnet3", "15ad:07b0", "net", "vmxnet3", "msix", {"vmxnet3,netdev=vmxnet3,romfile=,@"}},
    {"ahci", "8086:2922", "block", "ahci", "msi", {"ich9-ahci,id=ahci,@", "ide-hd,drive=ahci,bus=ahci.0"}},
    {"xhci", "1b36:000d", "block", "xhci_hcd", "msix", {"qemu-xhci,id=xhci,@", "usb-storage,drive=xhci,bus=xhci.0"}},
    {"rtl8139", "10ec:8139", "net", "8139cp", "intx", {"rtl8139,netdev=rtl8139,romfile=,@"}}, // 4 behind e1000: on its pin
    {"megasas", "1000:0060", "block", "megaraid_sas", "msix", {"megasas,id=megasas,@", "scsi-hd,drive=megasas,bus=megasas.0"}},
    {"usb-net", "1b36:000d", "net", "xhci_hcd", "msix", {"qemu-xhci,id=usb,@", "usb-net,netdev=usb-net,bus=usb.0"}},
    {"hda", "8086:293e", "sound", "snd_hda_intel", "msi", {"ich9-intel-hda,id=hda,@", "hda-output,bus=hda.0,audiodev=hda"}},
};
const std::vector<Device> all_virtio = {
    {"virtio-net", "1af4:1041", "net", "virtio-pci", "msix", {"virtio-net-pci,netdev=virtio-net,romfile=," + modern}},
    {"virtio-blk", "1af4:1042", "block", "virtio-pci", "msix", {"virtio-blk-pci,drive=virtio-blk," + modern}},
    {"virtio-scsi", "1af4:1048", "block", "virtio-pci", "msix",
     {"virtio-scsi-pci,id=virtio-scsi," + modern, "scsi-hd,drive=virtio-scsi,bus=virtio-scsi.0"}},
    {"virtio-rng", "1af4:1044", "rng", "virtio-pci", "msix", {"virtio-rng-pci,rng=virtio-rng," + modern}},
};

struct DriverVm {
    const char* name; // and its image's
    const char* kernel; // its file
    const char* arguments;
    unsigned memory_mib;
    std::size_t net_megabytes;
    unsigned core, first_slot; // of PCI bus 0; NIC and NVMe of the standard machine are 3 and 4
    const std::vector<Device>& devices;
};
// The second one has little memory (drivervms/README.md), and more traffic than that could hold.
const DriverVm driver_vms[] = {
    {"mixed", "vmlinuz", "", 128, megabytes, 1, 0x05, mixed},
    {"virtio", "vmlinux-cloud", " initcall_blacklist=tracer_init_tracefs cgroup.memory=nokmem", 64, 128, 0, 0x10, all_virtio}};

template <typename Visit>
void for_each_device(Visit visit) {
    for (const DriverVm& vm : driver_vms) {
        unsigned slot = vm.first_slot;
        for (const Device& device : vm.devices) visit(vm, device, slot++);
    }
}

std::string two_digits(unsigned slot) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", slot);
    return text;
}

std::string location(unsigned slot) { return "00:" + two_digits(slot) + ".0"; }

bool is(const Device& device, std::string_view kind) { return kind == device.prove; }

std::string vm_table(const DriverVm& vm, const std::string& proofs) {
    return std::string{"\n[[vm]]\nname = \""} + vm.name + "\"\nrole = \"driver\"\nkernel = \"" + vm.kernel +
           "\"\ninitrd = \"" + vm.name + ".img\"\ncommand_line = \"console=ttyS0 quiet panic=-1 cm.mb=" + std::to_string(megabytes) + " cm.net_mb=" +
           std::to_string(vm.net_megabytes) + " cm.prove=" + proofs + vm.arguments + "\"\nmemory_mib = " + std::to_string(vm.memory_mib) + "\ncore = " + std::to_string(vm.core) + "\nplacement = \"shared\"\n";
}

std::string device_table(const DriverVm& vm, const Device& device, unsigned slot) {
    return "\n[[device]]\naddress = \"" + location(slot) + "\"\nid = \"" + device.id + "\"\nholders = [\"" + vm.name +
           "\"]\nrights = [\"dma\", \"interrupts\", \"mmio\"]\nmax_lease = 600\n"; // nothing is renewed here
}

/// The standard policy's agent, and the driver VMs of this file.
fs::path compiled_policy(const Scratch& scratch, const session::Artefacts& built) {
    const auto source = session::changed_source(built, {});
    if (!source.ok()) return {};
    std::map<std::string, std::string> proofs;
    std::string devices;
    for_each_device([&](const DriverVm& vm, const Device& device, unsigned slot) {
        std::string& list = proofs[vm.name];
        list += (list.empty() ? "" : ",") + two_digits(slot) + ":" + device.prove;
        devices += device_table(vm, device, slot);
    });
    std::string text = session::without_tables(session::without_tables(source.value(), "net0"), "disk0");
    for (const DriverVm& vm : driver_vms) text += vm_table(vm, proofs[vm.name]);
    const auto policy = session::compile_policy(built, scratch.path(), text + devices);
    if (!policy.ok()) std::printf("  %s\n", policy.error().text.c_str());
    return policy.ok() ? policy.value() : fs::path{};
}

/// The host's side of a device.
fs::path backing(const Scratch& scratch, const Device& device) { return scratch.path() / (std::string{device.name} + ".back"); }

/// Makes the host's side and says how QEMU gets it.
std::vector<std::string> back_end(const Scratch& scratch, const session::Artefacts& built, const DriverVm& vm, const Device& device) {
    const std::string name = device.name, file = backing(scratch, device), peer = built.program("casemate-peer");
    if (is(device, "net"))
        return {"-netdev", "user,id=" + name + ",guestfwd=tcp:10.0.2.100:7001-cmd:" + peer + " download " + std::to_string(vm.net_megabytes * mib) +
                               " " + download_seed + ",guestfwd=tcp:10.0.2.100:7002-cmd:" + peer + " upload " + file};
    if (is(device, "sound")) return {"-audiodev", "wav,id=" + name + ",path=" + file};
    std::ofstream{file};
    if (is(device, "block")) {
        fs::resize_file(file, 64 << 20);
        return {"-drive", "if=none,format=raw,id=" + name + ",file=" + file};
    }
    const std::string command = peer + " download 1048576 6 > " + file;
    return std::system(command.c_str()) == 0 ? std::vector<std::string>{"-object", "rng-random,id=" + name + ",filename=" + file}
                                             : std::vector<std::string>{};
}

std::vector<std::string> machine_with(const Scratch& scratch, const session::Artefacts& built) {
    std::vector<std::string> arguments;
    for_each_device([&](const DriverVm& vm, const Device& device, unsigned slot) {
        const auto more = back_end(scratch, built, vm, device);
        arguments.insert(arguments.end(), more.begin(), more.end());
        for (std::string part : device.qemu) {
            if (const auto at = part.find('@'); at != std::string::npos)
                part.replace(at, 1, "bus=pcie.0,addr=" + two_digits(slot) + ".0");
            arguments.insert(arguments.end(), {"-device", part});
        }
    });
    return arguments;
}

/// What the driver VMs said of the device at that place, each time.
std::vector<ConsoleEvent> told(const Observation& seen, unsigned slot) {
    std::vector<ConsoleEvent> all;
    for (const std::string& line : seen.lines)
        if (const auto event = session::parse_marked(line, "CM_DEVICE "); event && event->name == two_digits(slot)) all.push_back(*event);
    return all;
}

/// The restarted VM twice.
std::size_t times(const DriverVm& vm, bool restarted) { return restarted && std::string_view{vm.name} == restarted_vm ? 2 : 1; }

bool all_told(const Observation& seen, bool restarted) {
    bool all = true;
    for_each_device([&](const DriverVm& vm, const Device&, unsigned slot) { all = all && told(seen, slot).size() >= times(vm, restarted); });
    return all;
}

bool all_assigned(const Observation& seen) {
    bool all = true;
    for_each_device([&](const DriverVm& vm, const Device&, unsigned slot) {
        all = all && seen.find("assigned", {{"device", location(slot)}, {"vm", vm.name}}) != nullptr;
    });
    return all;
}

std::string contents(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string sha256(std::string_view data) {
    probe::Digest digest;
    digest.update({reinterpret_cast<const std::uint8_t*>(data.data()), data.size()});
    return digest.hex();
}

std::string sent_by_peer(const session::Artefacts& built, std::size_t size) {
    const std::string command = built.program("casemate-peer").string() + " download " + std::to_string(size) + " " + download_seed;
    const std::unique_ptr<FILE, decltype(&pclose)> pipe{popen(command.c_str(), "r"), &pclose};
    std::string data(size + 1, '\0');
    data.resize(pipe ? std::fread(data.data(), 1, data.size(), pipe.get()) : 0);
    return sha256(data);
}

std::string unhex(const std::string& text) {
    std::string data;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) data += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    return data;
}

/// Samples of a square wave of half the full scale in a file of 16-bit samples: both levels, in about equal number.
bool holds_square_wave(const std::string& wave) {
    std::size_t low = 0, high = 0;
    for (std::size_t at = 44; at + 2 <= wave.size(); at += 2) {
        std::int16_t sample;
        std::memcpy(&sample, &wave[at], 2);
        low += sample < -12000;
        high += sample > 12000;
    }
    return low > 10000 && high > 10000 && low < 2 * high && high < 2 * low;
}

/// Whether the host agrees with what the VM says that it did.
bool host_agrees(const Scratch& scratch, const session::Artefacts& built, const DriverVm& vm, const Device& device, const ConsoleEvent& proof) {
    const std::string file = contents(backing(scratch, device));
    const std::size_t net_bytes = vm.net_megabytes * mib;
    if (is(device, "net"))
        return proof.get("rx_sha256") == sent_by_peer(built, net_bytes) && proof.get("tx_bytes") == std::to_string(net_bytes) &&
               file.find("\"bytes\": " + std::to_string(net_bytes)) != std::string::npos &&
               file.find("\"" + proof.get("tx_sha256") + "\"") != std::string::npos;
    if (is(device, "block"))
        return proof.get("read_sha256") == proof.get("write_sha256") &&
               proof.get("write_sha256") == sha256(std::string_view{file}.substr(0, bytes));
    if (is(device, "rng")) return proof.get("hex").size() == 64 && file.find(unhex(proof.get("hex"))) != std::string::npos;
    return holds_square_wave(file);
}

void expect_works(Context& context, const Scratch& scratch, const session::Artefacts& built, const ConsoleEvent& said, const DriverVm& vm,
                  const Device& device) {
    const std::string name = device.name;
    context.expect(said.get("error").empty() && host_agrees(scratch, built, vm, device, said),
                   name + ": the driver moved data, and the host found the same");
    const std::string count = said.get("interrupts");
    context.expect(said.get("driver") == device.driver && said.get("messages") == device.messages && !count.empty() && count != "0",
                   name + ": Debian's " + said.get("driver") + " got " + count + " interrupts by " + said.get("messages"));
}

/// drivervms/breadth/init; cause and reason: docs/interfaces/ledger.md, hypervisor/core/stop_reason.hpp
bool ended_only_to_start_anew(const Observation& seen) {
    const auto waits = std::ranges::count_if(seen.lines, [](const std::string& line) { return line.find("step=wait") != line.npos; });
    const auto resets = std::ranges::count_if(seen.events, [](const session::SeenEvent& each) {
        return each.event.name == "vm_stopped" && each.event.get("cause") == "4" && each.event.get("reason") == "2";
    });
    return resets == waits && seen.count("vm_stopped") == static_cast<std::size_t>(resets);
}

SessionConfig with_devices(const Context& context, const Scratch& scratch, const fs::path& policy, const fs::path& reference) {
    SessionConfig config = standard(context);
    config.operator_directory = scratch.path() / "operators";
    config.replaced["policy.cbor"] = policy;
    for (const DriverVm& vm : driver_vms) {
        const std::string image = std::string{vm.name} + ".img";
        for (const std::string& file : {image, std::string{vm.kernel}}) config.replaced[file] = config.artefacts.images() / file;
    }
    config.reference = reference;
    config.extra_qemu_arguments = machine_with(scratch, config.artefacts);
    return config;
}

const Registration breadth{"debians-own-drivers-work-twelve-more-devices-under-two-flavours-of-its-kernel", [](Context& context) {
    const Scratch scratch;
    const session::Artefacts built{context.build()};
    const fs::path policy = compiled_policy(scratch, built);
    const fs::path reference = policy.empty() ? fs::path{} : reference_for(context, scratch, policy, built.images());
    if (!context.expect(!reference.empty(), "a policy with twelve devices compiles and is predicted")) return;
    const auto session = begin(context, with_devices(context, scratch, policy, reference));
    if (!session) return;
    context.expect(session->run_until(all_assigned, seconds{300}), "each device is handed to its VM");
    context.expect(session->run_until([](const Observation& seen) { return all_told(seen, false); }, seconds{240}), "each VM says what it did");
    context.expect(ended_only_to_start_anew(session->seen()), "a VM ended only to start anew with all its devices");
    const std::string refusal = order(*session, scratch.path() / "operators", "restart", restarted_vm);
    context.expect(refusal.empty(), "an operator restarts one: " + refusal);
    context.expect(session->run_until([](const Observation& seen) { return all_told(seen, true); }, seconds{240}), "it says again what it did");
    context.expect(session->run_until([&](const Observation&) { return session::last_log_is_current(*session); }, seconds{120}),
                   "the newest evidence covers the whole ledger: its log replays to PCR 19");
    context.expect(newest_reasons(*session).contains("affirming"), "and the verifier affirms it");
    context.expect(session->seen().count("draining") == 0, "no lease was lost");
    session->platform().stop(); // so that the host's files are complete
    for_each_device([&](const DriverVm& vm, const Device& device, unsigned slot) {
        const std::vector<ConsoleEvent> said = told(session->seen(), slot);
        context.expect(said.size() == times(vm, true), std::string{device.name} + ": as often as its VM ran");
        for (const ConsoleEvent& each : said) expect_works(context, scratch, built, each, vm, device);
        context.expect(session->seen().find("device_found", {{"device", location(slot)}, {"reset_kind", "0"}}) != nullptr,
                       "  it has no reset");
        const std::string kernel = said.empty() ? "" : said.front().get("kernel");
        context.expect((kernel.find("-cloud-") != kernel.npos) == (vm.kernel == std::string{"vmlinux-cloud"}), "  under Debian's " + kernel);
    });
}};

} // namespace

} // namespace casemate::platform_test
