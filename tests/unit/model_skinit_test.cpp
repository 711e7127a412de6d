// SPDX-License-Identifier: Apache-2.0
// SKINIT's preconditions, the secure loader block's header, the launch record, the console and QEMU's command line.
#include "dlaunch/model/console.hpp"
#include "dlaunch/model/launch_record.hpp"
#include "dlaunch/model/qemu_command.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace casemate;
using namespace casemate::model;

namespace {

ProcessorState ready() {
    ProcessorState state;
    state.rax = 0x100000;
    state.rflags = 2;
    state.cs = 0x38;
    state.cr0 = 0x80010033;
    state.efer = 0x1d00;
    return state;
}

std::optional<Fault> fault_of(const ProcessorState& state) {
    const auto refusal = check_processor(state);
    return refusal ? std::optional{refusal->fault} : std::nullopt;
}

Result<SecureLoader, Refusal> loader_of(std::uint16_t entry, std::uint16_t length, std::uint64_t rax = 0x100000) {
    std::uint8_t header[4];
    LittleEndianWriter writer{header};
    writer.u16(entry);
    writer.u16(length);
    return read_secure_loader(rax, header);
}

std::vector<std::string> lines_of(const std::string& text) {
    ConsoleLines console;
    std::vector<std::string> lines;
    const auto sink = [&](const std::string& line) { lines.push_back(line); };
    for (const char c : text) console.append(ByteView{reinterpret_cast<const std::uint8_t*>(&c), 1}, sink);
    console.flush(sink);
    return lines;
}

} // namespace

TEST_CASE("a processor at CPL 0 in protected mode with SVM on may launch, in 64-bit and in 32-bit mode") {
    CHECK_FALSE(fault_of(ready()).has_value());
    ProcessorState without_paging = ready();
    without_paging.cr0 = 0x11;
    without_paging.efer = 0x1000;
    CHECK_FALSE(fault_of(without_paging).has_value());
}

TEST_CASE("what SKINIT does not recognise is #UD, what it may not do is #GP") {
    ProcessorState state = ready();
    state.cr0 = 0x10;
    CHECK(fault_of(state) == Fault::undefined_opcode);
    state = ready();
    state.rflags |= 1u << 17;
    CHECK(fault_of(state) == Fault::undefined_opcode);
    state = ready();
    state.efer = 0xd00;
    CHECK(fault_of(state) == Fault::undefined_opcode);
    for (const unsigned cpl : {1u, 2u, 3u}) {
        state = ready();
        state.cs |= cpl;
        CHECK(fault_of(state) == Fault::general_protection);
    }
    state = ready();
    state.running_processors = {"CPU#1 [running]"};
    CHECK(fault_of(state) == Fault::general_protection);
}

TEST_CASE("the secure loader block is EAX without its low 16 bits, with exactly the header's length") {
    const auto loader = loader_of(0x20, 0xffff, 0xffffffff'7de81234);
    REQUIRE(loader.ok());
    CHECK(loader.value().base == 0x7de80000);
    CHECK(loader.value().entry == 0x20);
    CHECK(loader.value().length == 0xffff);
}

TEST_CASE("a header whose measurement would not cover it or its entry point is refused") {
    CHECK_FALSE(loader_of(4, 0).ok()); // not 64 KiB
    CHECK_FALSE(loader_of(4, 3).ok());
    CHECK_FALSE(loader_of(4, 4).ok());
    CHECK(loader_of(4, 5).ok());
    CHECK_FALSE(loader_of(3, 100).ok());
    CHECK_FALSE(loader_of(100, 100).ok());
    CHECK(loader_of(99, 100).ok());
    const std::uint8_t bytes[3] = {};
    for (std::size_t size = 0; size < 4; ++size) CHECK_FALSE(read_secure_loader(0, ByteView{bytes, size}).ok());
}

TEST_CASE("a launch record is one line of JSON with the documented keys") {
    LaunchRecord record;
    record.result = LaunchResult::launched;
    record.processor = ready();
    record.loader = {0x100000, 0x20, 904};
    record.sha256 = "ab";
    const std::string text = to_json(record);
    CHECK(text.find('\n') == std::string::npos);
    const auto json = nlohmann::json::parse(text);
    CHECK(json["result"] == "launched");
    CHECK(json["slb_base"] == "0x100000");
    CHECK(json["slb_length"] == 904);
    CHECK(json["sha256"] == "ab");
}

TEST_CASE("console lines lose carriage returns, escapes and control characters, byte by byte") {
    CHECK(lines_of("one\r\ntwo") == std::vector<std::string>{"one", "two"});
    CHECK(lines_of("\x1b[2J\x1b[01;01Hclear\x1b[0m\n\n\ttab\x01\n") == std::vector<std::string>{"clear", "", "\ttab"});
    CHECK(lines_of(std::string(10'000, 'x')).size() == 3);
}

TEST_CASE("QEMU's command line puts the IOMMU before every other device and takes extra arguments last") {
    PlatformConfig config;
    config.download_peer = "peer";
    config.extra_qemu_arguments = {"-device", "edu"};
    const auto command = qemu_command(Emulator{}, config, QemuWiring{3, 4, 5, 6, 7, 8, "/s/vars", "/s/nvme,2", "/s/skinit.so"});
    const auto first = std::find(command.begin(), command.end(), "-device");
    REQUIRE(first != command.end());
    CHECK(*(first + 1) == "amd-iommu,intremap=on");
    CHECK(command.back() == "edu");
    const auto has = [&](const std::string& argument) {
        return std::find(command.begin(), command.end(), argument) != command.end();
    };
    CHECK(has("user,id=lan,guestfwd=tcp:10.0.2.100:7001-cmd:peer"));
    CHECK(has("e1000e,netdev=lan,bus=pcie.0,addr=03.0,romfile="));
    CHECK(has("if=none,format=raw,id=disk,file=/s/nvme,,2"));
    CHECK(has("/s/skinit.so,verdict=8"));
}

TEST_CASE("a newer QEMU has x2APIC, an IOMMU that must be told to deny, and another plugin interface") {
    CHECK(major_version("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)\n") == 10);
    CHECK(major_version("QEMU emulator version 7.2.22 (Debian)\n") == 7);
    CHECK(major_version("qemu: command not found") == 0);
    CHECK(major_version("") == 0);
    const Emulator newer{.program = "/opt/qemu", .major = 10};
    const auto command = native_command(newer, {.kernel = "k", .initrd = "i", .command_line = "c", .nvme = "n", .tap = ""}, 3);
    CHECK(command.front() == "/opt/qemu");
    CHECK(std::find(command.begin(), command.end(), "amd-iommu,intremap=on,pt=off") != command.end());
    CHECK(std::any_of(command.begin(), command.end(), [](const std::string& each) { return each.ends_with(",+x2apic"); }));
    CHECK(newer.plugin_interface() == 3);
    CHECK(Emulator{}.plugin_interface() == 1);
}
