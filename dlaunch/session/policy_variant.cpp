// SPDX-License-Identifier: Apache-2.0
// See policy_variant.hpp.
#include "dlaunch/session/policy_variant.hpp"

#include "dlaunch/model/child.hpp"

#include <fstream>
#include <iterator>

namespace casemate::session {

namespace fs = std::filesystem;
using model::fail;

namespace {

constexpr model::Millis tool_limit{30000};

Status<model::Error> run(std::vector<std::string> command) {
    return model::run_tool({.name = fs::path{command.front()}.filename(), .command = std::move(command)}, tool_limit);
}

} // namespace

model::Outcome<std::string> changed(std::string source, const Changes& changes) {
    for (const auto& [from, to] : changes) {
        const std::size_t at = source.find(from);
        if (at == std::string::npos) return fail("the policy source does not contain '" + from + "'");
        source.replace(at, from.size(), to);
    }
    return source;
}

std::string standard_source(const Artefacts& built) {
    std::ifstream in{built.policy_source()};
    return {std::istreambuf_iterator<char>{in}, {}};
}

model::Outcome<std::string> changed_source(const Artefacts& built, const Changes& changes) {
    return changed(standard_source(built), changes);
}

std::string without_tables(const std::string& source, const std::string& word) {
    std::string kept;
    for (std::size_t at = 0; at < source.size();) {
        const std::size_t end = std::min(source.find("\n\n", at), source.size() - 1);
        const std::string table = source.substr(at, end + 1 - at);
        if (table.find(word) == std::string::npos) kept += table + "\n";
        at = source.find_first_not_of('\n', end);
    }
    return kept;
}

std::string client_tables(const ClientVm& client) {
    const std::string vm = "\n[[vm]]\nname = \"" + client.name +
                           "\"\nrole = \"client\"\nkernel = \"vmlinuz\"\ninitrd = \"" + client.image + ".img\"\ncommand_line = \"console=ttyS0 quiet panic=-1 " +
                           client.parameters + "\"\nmemory_mib = 128\ncore = " + std::to_string(client.core) + "\nplacement = \"shared\"\n";
    if (client.server.empty()) return vm;
    return vm + "\n[[link]]\nbetween = [\"" + client.server + "\", \"" + client.name + "\"]\n";
}

model::Outcome<fs::path> compile_policy(const Artefacts& built, const fs::path& directory, const std::string& source) {
    const fs::path toml = directory / "policy.toml";
    const fs::path bundle = directory / "policy.cbor";
    std::ofstream{toml} << source;
    TRY(run({built.program("casemate-policy"), "compile", toml, "--key", built.keys() / "owner.pem", "--verifier-key",
             built.keys() / "grant.pub.pem", "--out", bundle}));
    return bundle;
}

model::Outcome<fs::path> predict(const Artefacts& built, const fs::path& directory, const fs::path& policy,
                                 const fs::path& images) {
    const fs::path reference = directory / "reference.json";
    TRY(run({built.program("casemate-predict"), "--slb", built.slb(), "--hypervisor", built.hypervisor(), "--policy",
             policy, "--images", images, "--out", reference}));
    return reference;
}

} // namespace casemate::session
