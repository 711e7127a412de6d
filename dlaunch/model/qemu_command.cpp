// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/qemu_command.hpp"

namespace casemate::model {
namespace {

using Arguments = std::vector<std::string>;

// x-force-features: without it the SKINIT bit in CPUID stays 0 and STGI with EFER.SVME=0 is #UD.
constexpr const char* cpu_model = "EPYC-v1,-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,-topoext,"
                                  "-nrip-save,-xsavec,+svm,+npt,+skinit,x-force-features=on";

void add(Arguments& arguments, std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
}

/// A value inside a QEMU option: a comma is doubled.
std::string quoted(const std::string& value) {
    std::string text;
    for (const char c : value) text += c == ',' ? std::string{",,"} : std::string{c};
    return text;
}

std::string drive(const char* id, const std::filesystem::path& file) {
    return std::string{"if=none,format=raw,id="} + id + ",file=" + quoted(file.string());
}

std::string flash(const char* unit_and_mode, const std::filesystem::path& file) {
    return std::string{"if=pflash,format=raw,unit="} + unit_and_mode + ",file=" + quoted(file.string());
}

std::string connected_socket(const char* id, int fd) {
    return std::string{"socket,id="} + id + ",fd=" + std::to_string(fd);
}

// The IOMMU comes first, or devices before it bypass it.
Arguments machine(const Emulator& qemu, unsigned processors, unsigned memory_mib) {
    const std::string iommu = qemu.passes_through() ? ",pt=off" : "";
    return {qemu.program, "-nodefaults", "-no-user-config", "-nographic", "-vga", "none", "-no-reboot", "-accel", "tcg",
            "-machine", "q35,smm=off", "-device", "amd-iommu,intremap=on" + iommu, "-cpu", cpu_model + std::string{qemu.has_x2apic() ? ",+x2apic" : ""},
            "-smp", std::to_string(processors), "-m", std::to_string(memory_mib)};
}

void add_nic(Arguments& arguments, const std::string& back_end) {
    add(arguments, {"-netdev", back_end, "-device", "e1000e,netdev=lan,bus=pcie.0,addr=03.0,romfile="});
}

void add_disk(Arguments& arguments, const std::filesystem::path& file) {
    add(arguments, {"-drive", drive("disk", file), "-device", "nvme,drive=disk,serial=casemate,bus=pcie.0,addr=04.0"});
}

std::string tap_network(const std::string& interface) {
    return "tap,id=lan,ifname=" + quoted(interface) + ",script=no,downscript=no";
}

std::string user_network(const PlatformConfig& config) {
    std::string user = "user,id=lan";
    if (!config.download_peer.empty()) user += ",guestfwd=tcp:10.0.2.100:7001-cmd:" + quoted(config.download_peer);
    if (!config.upload_peer.empty()) user += ",guestfwd=tcp:10.0.2.100:7002-cmd:" + quoted(config.upload_peer);
    for (const auto& [port, command] : config.further_peers)
        user += ",guestfwd=tcp:10.0.2.100:" + std::to_string(port) + "-cmd:" + quoted(command);
    return user;
}

void add_serial(Arguments& arguments, const QemuWiring& wiring) {
    add(arguments, {"-chardev", connected_socket("com1", wiring.com1), "-serial", "chardev:com1"});
    add(arguments, {"-chardev", connected_socket("com2", wiring.com2) + ",server=on,wait=off", "-serial", "chardev:com2"});
}

void add_model_wiring(Arguments& arguments, const PlatformConfig& config, const QemuWiring& wiring) {
    add(arguments, {"-chardev", connected_socket("tpm", wiring.tpm_control), "-tpmdev", "emulator,id=tpm0,chardev=tpm"});
    if (config.tpm_interface == TpmInterface::fifo) add(arguments, {"-device", "tpm-tis,tpmdev=tpm0"});
    add(arguments, {"-chardev", connected_socket("debugger", wiring.debugger), "-gdb", "chardev:debugger"});
    add(arguments, {"-chardev", connected_socket("monitor", wiring.monitor), "-mon", "chardev=monitor,mode=control"});
    add(arguments, {"-plugin", quoted(wiring.plugin.string()) + ",verdict=" + std::to_string(wiring.verdicts)});
}

} // namespace

std::vector<std::string> native_command(const Emulator& qemu, const NativeConfig& config, int com1) {
    Arguments arguments = machine(qemu, config.processors, config.memory_mib);
    add(arguments, {"-kernel", config.kernel, "-initrd", config.initrd, "-append", config.command_line});
    add_nic(arguments, config.tap.empty() ? "user,id=lan" : tap_network(config.tap));
    add_disk(arguments, config.nvme);
    add(arguments, {"-chardev", connected_socket("com1", com1), "-serial", "chardev:com1"});
    return arguments;
}

std::vector<std::string> qemu_command(const Emulator& qemu, const PlatformConfig& config, const QemuWiring& wiring) {
    Arguments arguments = machine(qemu, config.processors, config.memory_mib);
    add(arguments, {"-S"});
    add(arguments, {"-drive", flash("0,readonly=on", firmware_code), "-drive",
                    flash("1", wiring.firmware_variables)});
    add(arguments, {"-drive", drive("esp", config.esp) + ",snapshot=on", "-device",
                    "ide-hd,drive=esp,bus=ide.0,bootindex=0"});
    add_nic(arguments, config.tap.empty() ? user_network(config) : tap_network(config.tap));
    add_disk(arguments, wiring.nvme);
    add(arguments, {"-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"});
    add_serial(arguments, wiring);
    add_model_wiring(arguments, config, wiring);
    arguments.insert(arguments.end(), config.extra_qemu_arguments.begin(), config.extra_qemu_arguments.end());
    return arguments;
}

} // namespace casemate::model
