// SPDX-License-Identifier: Apache-2.0
// The policy of a campaign and what belongs to it.
#include "dlaunch/session/policy_variant.hpp"
#include "drivervms/probe/digest.hpp"
#include "drivervms/probe/pattern.hpp"
#include "tests/faults/run.hpp"

#include <vector>

namespace casemate::faults {
namespace {

constexpr std::size_t disk_bytes = 4 << 20;
constexpr unsigned disk_seeds = 8;

constexpr const char* standard_line = "command_line = \"console=ttyS0 quiet panic=-1";

/// What follows the image's name in the policy's source, with more on the command line.
std::pair<std::string, std::string> change(const char* from, const char* to, const char* arguments) {
    const auto line = [](const char* image) { return "initrd = \"" + std::string{image} + ".img\"\n" + standard_line; };
    return {line(from), line(to) + " " + arguments};
}

constexpr const char* canary_tables = R"(
[[vm]]
name = "canary"
role = "client"
kernel = "vmlinuz"
initrd = "canary.img"
command_line = "console=ttyS0 quiet panic=-1"
memory_mib = 128
core = 1
placement = "shared"

[[link]]
between = ["net0", "canary"]
)";

std::string digest_of_pattern(unsigned seed) {
    std::vector<std::uint8_t> data(disk_bytes);
    probe::Pattern{seed}.fill(data);
    probe::Digest digest;
    digest.update(data);
    return digest.hex();
}

} // namespace

model::Outcome<Setting> make_setting(const session::Artefacts& built, const std::filesystem::path& directory) {
    const std::string source = TRY(session::changed_source(
        built, {change("net0", "faulty", "oops=panic wdat_wdt.timeout=10"), change("disk0", "disk0", "cm.disk_mb=4 cm.disk_again=8")}));
    Setting setting;
    setting.policy = TRY(session::compile_policy(built, directory, source + canary_tables));
    setting.reference = TRY(session::predict(built, directory, setting.policy, built.images()));
    for (unsigned seed = 1; seed <= disk_seeds; ++seed) setting.disk_digests.insert(digest_of_pattern(seed));
    setting.disk_digests.insert(digest_of_pattern(3)); // the first one's, before it goes on again and again
    return setting;
}

} // namespace casemate::faults
