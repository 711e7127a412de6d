// SPDX-License-Identifier: Apache-2.0
#include "policy/compiler/decompile.hpp"
#include "policy/compiler/inventory.hpp"
#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/toml_source.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace casemate::policy;

namespace {

constexpr std::array<std::uint8_t, public_key_size> grant_key{4};

/// Line 1 is the epoch, the VMs begin at lines 2 and 11, the device at line 20.
std::string sample() {
    return R"(epoch = 3
[[vm]]
name = "agent"
role = "agent"
kernel = "vmlinuz"
initrd = "agent.img"
command_line = "console=ttyS0"
memory_mib = 128
core = 0
placement = "shared"
[[vm]]
name = "net0"
role = "driver"
kernel = "vmlinuz"
initrd = "net0.img"
command_line = "console=ttyS0"
memory_mib = 96
core = 1
placement = "dedicated"
[[device]]
address = "00:03.0"
id = "8086:10d3"
holders = ["net0"]
rights = ["dma", "interrupts", "mmio"]
max_lease = 60
)";
}

/// With a client at line 26 and a link at line 35.
std::string linked(const std::string& between) {
    return sample() + R"([[vm]]
name = "client"
role = "client"
kernel = "vmlinuz"
initrd = "client.img"
command_line = "console=ttyS0"
memory_mib = 64
core = 0
placement = "shared"
[[link]]
between = )" + between + "\n";
}

std::unique_ptr<Source> read(const std::string& text) {
    return std::make_unique<Source>(read_source(text, grant_key));
}

/// "line: what" of the only problem after `from` was replaced by `to`; "none", or "several".
std::string problem_after(const std::string& from, const std::string& to) {
    std::string text = sample();
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    const auto source = read(text.replace(at, from.size(), to));
    if (source->problems.empty()) return "none";
    if (source->problems.size() > 1) return "several";
    return std::to_string(source->problems[0].line) + ": " + source->problems[0].what;
}

} // namespace

TEST_CASE("a policy source is read into the policy", "[policy]") {
    const auto source = read(sample());
    REQUIRE(source->problems.empty());
    const Policy& policy = source->policy;
    CHECK(policy.epoch == 3);
    CHECK(policy.grant_key == grant_key);
    REQUIRE(policy.vm_count == 2);
    CHECK(policy.vms[0].role == Role::agent);
    CHECK(policy.vms[1].name.view() == "net0");
    CHECK(policy.vms[1].memory_mib == 96);
    CHECK(policy.vms[1].placement == Placement::dedicated);
    REQUIRE(policy.device_count == 1);
    CHECK(policy.devices[0].address == casemate::DeviceAddress{0, 0, 3, 0});
    CHECK(policy.devices[0].vendor == 0x8086);
    CHECK(policy.devices[0].device_id == 0x10d3);
    CHECK(policy.devices[0].holders[0] == 1);
    CHECK(policy.devices[0].rights == all_rights);
    CHECK(policy.devices[0].max_lease == 60);
}

TEST_CASE("restart rules, accepted resets, attestation interval and the agent's TPM commands are the owner's to say", "[policy]") {
    CHECK(read(sample())->policy.vms[1].restart_limit == 5);
    CHECK(read(sample())->policy.vms[1].quiet_seconds == 60);
    CHECK(read(linked("[\"net0\", \"client\"]"))->policy.vms[2].restart_limit == 0);
    CHECK(read(sample())->policy.devices[0].resets == all_resets);
    CHECK(read(sample())->policy.attestation_interval == 0);
    CHECK(read(sample())->policy.agent_commands().size() == most_tpm_commands.size());

    std::string text = sample();
    text.replace(text.find("memory_mib = 96"), 15, "memory_mib = 96\nrestart_limit = 2\nquiet_seconds = 10");
    text.replace(text.find("max_lease = 60"), 14, "max_lease = 60\nresets = [\"secondary-bus\", \"function-level\"]");
    const auto source = read("attestation_interval = 20\nagent_tpm_commands = [\"Quote\", \"CreatePrimary\"]\n" + text);
    REQUIRE(source->problems.empty());
    const Policy& policy = source->policy;
    CHECK((policy.vms[1].restart_limit == 2 && policy.vms[1].quiet_seconds == 10 && policy.attestation_interval == 20));
    CHECK(policy.devices[0].resets == (1 << 1 | 1 << 2));
    CHECK(std::vector<std::uint32_t>{policy.agent_commands().begin(), policy.agent_commands().end()} == std::vector<std::uint32_t>{0x131, 0x158});
    CHECK(read(decompile(policy))->policy.agent_commands().size() == 2);
    CHECK(decompile(read(decompile(policy))->policy) == decompile(policy));

    CHECK(problem_after("max_lease = 60", "max_lease = 60\nresets = [\"gently\"]") == "26: 'gently' is not one of none, function-level, secondary-bus and device-specific");
    CHECK(problem_after("max_lease = 60", "max_lease = 60\nresets = []").ends_with("none, function-level, secondary-bus and device-specific"));
    CHECK(problem_after("epoch = 3", "epoch = 3\nagent_tpm_commands = [\"PCR_Extend\"]").ends_with("'PCR_Extend' is no TPM command that an agent may be allowed"));
    CHECK(problem_after("epoch = 3", "epoch = 3\nagent_tpm_commands = [\"Quote\", \"Quote\"]").ends_with("'Quote' is there twice"));
    CHECK(problem_after("epoch = 3", "epoch = 3\nattestation_interval = 86401").ends_with("the attestation interval must be at most 86400 seconds"));
    CHECK(problem_after("memory_mib = 96", "memory_mib = 96\nrestart_limit = 9").ends_with("a VM is restarted at most 8 times in a row"));
    CHECK(problem_after("memory_mib = 96", "memory_mib = 96\nquiet_seconds = 0").ends_with("a restart counts as good after 1 to 3600 quiet seconds"));
}

TEST_CASE("what a source says of a launch by TXT is read, and not needed", "[policy]") {
    CHECK_FALSE(read_source(sample(), grant_key).txt);
    const auto with = [](const std::string& txt) { return read_source(sample() + "[txt]\n" + txt, grant_key); };
    const Source good = with("tboot_command_line = \"logging=serial,memory\"\nminimum_sinit = 3\n");
    REQUIRE(good.problems.empty());
    CHECK(good.txt->tboot_command_line == "logging=serial,memory");
    CHECK(good.txt->minimum_sinit == 3);
    CHECK(with("minimum_sinit = 3\n").problems.size() == 1);
    CHECK(with("tboot_command_line = \"\"\nminimum_sinit = 255\n").problems.size() == 1);
    CHECK(with("tboot_command_line = \"a;b\"\nminimum_sinit = 0\n").problems.size() == 1);
    CHECK(with("tboot_command_line = \"" + std::string(511, 'a') + "\"\nminimum_sinit = 0\n").problems.size() == 1);
    CHECK(with("tboot_command_line = \"\"\nminimum_sinit = 0\nother = 1\n").problems.size() == 1);
    CHECK(read_source("txt = 1\n" + sample(), grant_key).problems.size() == 1);
}

TEST_CASE("a VM has the usual weight and no cap unless the source says otherwise", "[policy]") {
    CHECK(read(sample())->policy.vms[1].weight == 100);
    CHECK(read(sample())->policy.vms[1].cap == 100);
    std::string text = sample();
    const auto source = read(text.replace(text.find("core = 1"), 8, "core = 1\nweight = 300\ncap_percent = 25"));
    REQUIRE(source->problems.empty());
    CHECK(source->policy.vms[1].weight == 300);
    CHECK(source->policy.vms[1].cap == 25);
    CHECK(problem_after("core = 1", "core = 1\nweight = 0") == "11: the weight must be 1 to 10000");
    CHECK(problem_after("core = 1", "core = 1\ncap_percent = 101") == "11: the cap must be 1 to 100 percent of the core");
}

TEST_CASE("a VM restarts cold unless the source says warm", "[policy]") {
    CHECK(read(sample())->policy.vms[1].restart == Restart::cold);
    std::string text = sample();
    const auto source = read(text.replace(text.find("core = 1"), 8, "core = 1\nrestart = \"warm\""));
    REQUIRE(source->problems.empty());
    CHECK(source->policy.vms[1].restart == Restart::warm);
}

TEST_CASE("a VM's secrets are read in any order, and each problem with them is reported", "[policy]") {
    CHECK(problem_after("core = 1", "core = 1\nsecrets = []") == "none");
    const std::string text = sample().replace(sample().find("core = 1"), 8, "core = 1\nsecrets = [\"volume\", \"tunnel\"]");
    const auto source = read(text);
    REQUIRE(source->problems.empty());
    REQUIRE(source->policy.vms[1].secret_count == 2);
    CHECK(source->policy.vms[1].secrets[0].view() == "tunnel");
    const std::string rule = "a VM has at most 4 secrets, each once, in ascending order; a name has 1 to 31 of a-z 0-9 - _ ., and is not bootstrap-lease";
    CHECK(problem_after("core = 1", "core = 1\nsecrets = [\"a\", \"a\"]") == "11: " + rule);
    CHECK(problem_after("core = 1", "core = 1\nsecrets = [\"a b\"]") == "11: " + rule);
    CHECK(problem_after("core = 1", "core = 1\nsecrets = [\"a\", \"b\", \"c\", \"d\", \"e\"]") == "19: " + rule);
    CHECK(problem_after("core = 1", "core = 1\nsecrets = [\"" + std::string(32, 'a') + "\"]") == "19: " + rule);
    CHECK(problem_after("core = 0", "core = 0\nsecrets = [\"a\"]") == "2: only a driver VM can be given secrets");
}

TEST_CASE("each problem of a source is reported at its line", "[policy]") {
    CHECK(problem_after("epoch = 3", "epoch = 0") == "0: the epoch must be at least 1");
    CHECK(problem_after("epoch = 3", "epoch = -1") == "1: 'epoch' must be a whole number from 0 to 4294967295");
    CHECK(problem_after("epoch = 3", "epoch = \"3\"") == "1: 'epoch' must be a whole number from 0 to 4294967295");
    CHECK(problem_after("core = 1\n", "") == "11: 'core' is missing");
    CHECK(problem_after("core = 1", "core = 300") == "18: 'core' must be a whole number from 0 to 255");
    CHECK(problem_after("core = 1", "core = 0") == "11: the core of a dedicated VM cannot be used by another VM");
    CHECK(problem_after("core = 1", "core = 1\ncores = 2") == "19: unknown key 'cores'");
    CHECK(problem_after("epoch = 3", "epoch = 3\nfoo = 1") == "2: unknown key 'foo'");
    CHECK(problem_after("\"driver\"", "\"driving\"") == "13: the role must be agent, driver or client");
    CHECK(problem_after("\"dedicated\"", "true") == "several"); // not a text, hence not a placement
    CHECK(problem_after("name = \"net0\"", "name = \"a-name-of-17-char\"") ==
          "several"); // too long, and the device's holder is unknown
    CHECK(problem_after("[[device]]", "[device]") == "20: write [[device]]");
    CHECK(problem_after("00:03.0", "00:20.0") == "21: 'address' must look like 00:03.0 or 0000:00:03.0");
    CHECK(problem_after("8086:10d3", "8086-10d3") == "22: 'id' must look like 8086:10d3");
    CHECK(problem_after("8086:10d3", "ffff:ffff") == "20: the vendor cannot be 0000 or ffff");
    CHECK(problem_after("[\"net0\"]", "[\"net1\"]") == "23: 'net1' is not a VM of this policy");
    CHECK(problem_after("[\"net0\"]", "[]") == "20: a device has 1 to 8 holders");
    CHECK(problem_after("[\"net0\"]", "\"net0\"") == "23: 'holders' must be a list of texts");
    CHECK(problem_after("\"dma\"", "\"DMA\"") == "24: 'DMA' is not one of dma, interrupts and mmio");
    CHECK(problem_after("max_lease = 60", "max_lease = 0") == "20: the longest lease must be 1 to 86400 seconds");
    CHECK(problem_after("core = 1", "core = 1\nrestart = \"hot\"") == "19: restart is cold or warm");
    CHECK(problem_after("core = 1", "core = 1\nrestart = true") == "several"); // not a text, hence neither
    CHECK(problem_after("core = 1", "core = 1\nrestart = \"cold\"") == "none");
    CHECK(problem_after("\"agent\"\nkernel", "\"client\"\nkernel") == "0: one VM must have the role agent");
}

TEST_CASE("a source is printable ASCII: anything else is refused at its line and column, in comments too", "[policy]") {
    const auto refusal = [](const std::string& text) {
        const auto source = std::make_unique<Source>(read_source(text, grant_key));
        REQUIRE(source->problems.size() == 1);
        return source->problems[0];
    };
    const Problem umlaut = refusal(sample() + "# f\xc3\xbcr net0\n");
    CHECK(umlaut.line == 26);
    CHECK(umlaut.what == "column 4: the byte 0xc3 is not printable ASCII: comments too are written in it");
    CHECK(refusal(std::string("\0", 1) + sample()).what.find("column 1: the byte 0x00") == 0);
    CHECK(refusal("\xef\xbb\xbf" + sample()).line == 1); // a byte order mark
    CHECK(refusal(sample() + "\x7f").line == 26);
    CHECK(refusal(sample() + std::string(1 << 20, '\n')).what.find("1024 KiB") != std::string::npos);
    CHECK(read_source("# \ttabs, and line ends of another system\r\n" + sample(), grant_key).problems.empty());
}

TEST_CASE("a text that the TOML library was not made for is a problem like others", "[policy]") {
    for (const char* text : {"[#", "[ # a comment\n", "[[#\n", "[]", "[a.]\n", "a = [#", "a = {#", "= 1", "a.b.", "[\t\r\n"}) {
        CAPTURE(text);
        CHECK_FALSE(std::make_unique<Source>(read_source(text, grant_key))->problems.empty());
    }
}

TEST_CASE("links are read in either order of their VMs", "[policy]") {
    for (const char* between : {R"(["net0", "client"])", R"(["client", "net0"])"}) {
        const auto source = read(linked(between));
        REQUIRE(source->problems.empty());
        REQUIRE(source->policy.link_count == 1);
        CHECK(source->policy.links[0].first == 1);
        CHECK(source->policy.links[0].second == 2);
    }
}

TEST_CASE("each problem of a link is reported at its line", "[policy]") {
    const auto problem = [](const std::string& between) {
        const auto source = read(linked(between));
        return source->problems.size() == 1 ? std::to_string(source->problems[0].line) + ": " + source->problems[0].what : "not one";
    };
    CHECK(problem(R"(["net0", "net1"])") == "36: 'net1' is not a VM of this policy");
    CHECK(problem(R"(["net0"])") == "36: 'between' must name two VMs");
    CHECK(problem(R"(["net0", "client", "agent"])") == "36: 'between' must name two VMs");
    CHECK(problem("[]") == "35: a link joins two different VMs");
    CHECK(problem(R"("net0")") == "36: 'between' must be a list of texts");
    CHECK(problem(R"(["net0", "net0"])") == "35: a link joins two different VMs");
    CHECK(problem(R"(["net0", "agent"])") == "35: the agent VM may have a link only to a VM that may hold a device with a bootstrap lease");
    CHECK(problem(R"(["net0", "client"])" "\n[[link]]\nbetween = [\"client\", \"net0\"]") ==
          "37: two VMs have at most one link between them");
    CHECK(problem(R"(["net0", "client"])" "\nspeed = 1") == "37: unknown key 'speed'");
    std::string many = R"(["net0", "client"])";
    for (int i = 0; i < 16; ++i) many += "\n[[link]]\nbetween = [\"net0\", \"client\"]";
    CHECK(problem(many) == "0: there may be at most 16 links");
}

TEST_CASE("each problem of a conflict set is reported at its line", "[policy]") {
    const auto problem = [](const std::string& between, const char* link = R"(["net0", "client"])") {
        const auto source = read(linked(link) + "[[conflict]]\nbetween = " + between + "\n");
        return source->problems.size() == 1 ? std::to_string(source->problems[0].line) + ": " + source->problems[0].what
               : source->problems.empty()   ? "none"
                                            : "several";
    };
    CHECK(problem(R"(["net0", "agent"])") == "none"); // in any order
    CHECK(problem(R"(["net0", "client"])") == "37: two VMs of the conflict set reach each other over links");
    CHECK(problem(R"(["net0"])") == "37: a conflict set names two or more VMs of the policy, each once, in the order of the VMs");
    CHECK(problem(R"(["net0", "net0"])") == "38: 'net0' is there twice");
    CHECK(problem(R"(["net0", "net1"])") == "38: 'net1' is not a VM of this policy");
    CHECK(problem(R"("net0")") == "38: 'between' must be a list of texts");
    CHECK(problem(R"(["net0", "agent"])" "\nwhy = 1") == "39: unknown key 'why'");
    std::string many = R"(["net0", "agent"])";
    for (int i = 0; i < 8; ++i) many += "\n[[conflict]]\nbetween = [\"net0\", \"agent\"]";
    CHECK(problem(many) == "0: a policy has at most 8 conflict sets");
}

namespace {

constexpr const char* lspci = R"(0000:00:00.0 "0600" "8086" "29c0"
0000:00:03.0 "0200" "8086" "10d3" -r02 "1af4" "1100"
0000:00:06.0 "0280" "8086" "2723" -r1a -p00 "8086" "0084"
0000:00:04.0 "0108" "1b36" "0010" -r02 -p02 "1af4" "1100"
)";

/// The sample with other lines in the place of the device's address and id.
std::unique_ptr<Source> read_selected(const std::string& lines, const Inventory* inventory) {
    std::string text = sample();
    const std::string_view exact = "address = \"00:03.0\"\nid = \"8086:10d3\"\n";
    const auto at = text.find(exact);
    REQUIRE(at != std::string::npos);
    return std::make_unique<Source>(read_source(text.replace(at, exact.size(), lines), grant_key, inventory));
}

std::string only_problem(const Source& source) {
    if (source.problems.size() != 1) return source.problems.empty() ? "none" : "several";
    return std::to_string(source.problems[0].line) + ": " + source.problems[0].what;
}

} // namespace

TEST_CASE("devices are found by class or id in the inventory of a machine", "[policy]") {
    const Inventory inventory = parse_inventory(lspci);
    REQUIRE(inventory.functions.size() == 4);
    auto source = read_selected("class = \"network\"\n", &inventory);
    REQUIRE(source->problems.empty());
    REQUIRE(source->policy.device_count == 2); // the wired one and the wireless one
    CHECK(source->policy.devices[0].address == casemate::DeviceAddress{0, 0, 3, 0});
    CHECK(source->policy.devices[1].device_id == 0x2723);
    CHECK(source->policy.devices[1].max_lease == 60);
    for (const auto& [lines, count] : {std::pair{"class = \"0200\"\n", 1}, {"class = \"02\"\n", 2}, {"id = \"8086:2723\"\n", 1},
                                       {"class = \"network\"\nid = \"8086:10d3\"\n", 1}, {"address = \"00:04.0\"\n", 1},
                                       {"class = \"storage\"\naddress = \"00:04.0\"\n", 1}}) {
        INFO(lines);
        source = read_selected(lines, &inventory);
        CHECK(only_problem(*source) == "none");
        CHECK(source->policy.device_count == count);
    }
    CHECK(only_problem(*read_selected("class = \"usb\"\n", &inventory)).find("no (further) device") != std::string::npos);
    CHECK(only_problem(*read_selected("class = \"network\"\naddress = \"00:04.0\"\n", &inventory)).find("no (further) device") != std::string::npos);
    CHECK(only_problem(*read_selected("class = \"networks\"\n", &inventory)).starts_with("21: 'class' must be network"));
    CHECK(only_problem(*read_selected("class = \"network\"\n", nullptr)).find("--inventory") != std::string::npos);
    CHECK(only_problem(*read_selected("", nullptr)) == "20: 'address' is missing");
}

TEST_CASE("a device that an earlier table names is not selected again", "[policy]") {
    const Inventory inventory = parse_inventory(lspci);
    const std::string others = "[[device]]\nclass = \"network\"\nholders = [\"net0\"]\nrights = [\"mmio\"]\nmax_lease = 5\n";
    const Source source = read_source(sample() + others, grant_key, &inventory);
    REQUIRE(source.problems.empty());
    REQUIRE(source.policy.device_count == 2);
    CHECK(source.policy.devices[0].max_lease == 60);
    CHECK(source.policy.devices[1].address == casemate::DeviceAddress{0, 0, 6, 0});
    CHECK(source.policy.devices[1].max_lease == 5);
    const Source twice = read_source(sample() + others + others, grant_key, &inventory);
    CHECK(only_problem(twice).find("no (further) device") != std::string::npos);
}

TEST_CASE("an inventory is what lspci prints, line by line, or its line is named", "[policy]") {
    const auto line_of_problem = [](const std::string& text) {
        const Inventory inventory = parse_inventory(text);
        CHECK(inventory.functions.empty());
        return inventory.problems.empty() ? 99U : inventory.problems[0].line;
    };
    CHECK(line_of_problem("") == 0);
    CHECK(line_of_problem("00:03.0 Ethernet controller: Intel\n") == 1);
    CHECK(line_of_problem(std::string{lspci} + "0000:00:03.0 \"0200\" \"8086\" \"10d3\"\n") == 5);
    for (const char* bad : {"0000:00:3.0 \"0200\" \"8086\" \"10d3\"", "0000:00:03.0 0200 8086 10d3", "0000:00:03.0 \"0200\" \"8086\"",
                            "0000:00:03.0 \"02\" \"8086\" \"10d3\"", "0000:00:03.0 \"0200\" \"8086\" \"10DX\""})
        CHECK(line_of_problem(bad) == 1);
}

TEST_CASE("text that is not TOML is one problem with its line", "[policy]") {
    const auto source = read("epoch = 1\n[[vm]\n");
    REQUIRE(source->problems.size() == 1);
    CHECK(source->problems[0].line == 2);
}

TEST_CASE("every problem is reported, not only the first", "[policy]") {
    const auto source = read("");
    REQUIRE(source->problems.size() == 1); // epoch is missing
    CHECK(read("epoch = 1\n[[vm]]\n")->problems.size() >= 8);
}

TEST_CASE("PCI addresses and ids have one spelling", "[policy]") {
    CHECK(parse_address("00:1f.7") == casemate::DeviceAddress{0, 0, 31, 7});
    CHECK(parse_address("0001:ff:03.0") == casemate::DeviceAddress{1, 255, 3, 0});
    for (const char* bad : {"", "0:3.0", "00:03", "00:03.8", "00:20.0", "00:03.00", "0000:00:03.0 ", " 00:03.0", "00:-3.0"})
        CHECK_FALSE(parse_address(bad).has_value());
    CHECK(parse_vendor_device("1b36:0010")->device == 0x10);
    for (const char* bad : {"", "1b36", "1b36:10", "1b36:00100", "xb36:0010"})
        CHECK_FALSE(parse_vendor_device(bad).has_value());
    CHECK(to_text({0, 0, 3, 0}) == "00:03.0");
    CHECK(to_text({1, 2, 31, 7}) == "0001:02:1f.7");
}
