// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/launch/boot.hpp"

#include "attest/cose/signer.hpp"
#include "dlaunch/model/esp.hpp"
#include "policy/model/bundle.hpp"
#include "policy/compiler/draft.hpp"
#include "tests/unit/owner_sample.hpp"
#include "tests/unit/policy_sample.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace casemate::launch_test {

namespace {

namespace fs = std::filesystem;

template <typename T>
T need(model::Outcome<T> outcome) {
    if (!outcome) throw std::runtime_error(outcome.error().text);
    return std::move(outcome).value();
}

Bytes read_file(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>{file}, {}};
}

Bytes sample_bundle() {
    const cose::Signer owner = cose::Signer::generate().value();
    Bytes header(cose::max_protected);
    header.resize(policy::encode_bundle_header(owner.public_key(), header).size());
    return owner.sign_message(header, test::encoded(test::sample_policy())).value();
}

Bytes to_bytes(std::string_view text) { return {text.begin(), text.end()}; }

} // namespace

Files good_files() {
    const fs::path bin = CASEMATE_BIN;
    return {{"launch.cfg", to_bytes("slb = slb.bin\nhypervisor = hypervisor.elf\npolicy = policy.cbor\n"
                                    "image = vmlinuz\nimage = initrd\n")},
            {"slb.bin", read_file(bin / "slb.bin")},
            {"hypervisor.elf", read_file(bin / "launch-probe.elf")},
            {"policy.cbor", sample_bundle()},
            {"vmlinuz", Bytes(8'000'001, 0xa5)},
            {"initrd", Bytes(1'000, 0x5a)}};
}

Bytes bundle_of_owners(std::size_t signatures) {
    const std::vector<cose::Signer> owners = test::owner_keys(3);
    const Bytes set = test::owner_set(2, cose::Signer::generate().value().public_key(), owners);
    Bytes bundle = policy::make_draft(test::encoded(test::sample_policy()), set).value();
    for (std::size_t i = 0; i < signatures; ++i) bundle = policy::add_signature(bundle, set, owners[2 - i]).value();
    return bundle;
}

Boot::Boot(const Files& files, model::PlatformConfig config) : scratch_{need(model::StateDir::create())} {
    model::EspFiles esp{{"EFI/BOOT/BOOTX64.EFI", fs::path{CASEMATE_BIN} / "dlaunch.efi"}};
    for (const auto& [name, bytes] : files) {
        const fs::path path = scratch_.path() / name;
        std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                    static_cast<std::streamsize>(bytes.size()));
        esp["casemate/" + name] = path;
    }
    config.esp = scratch_.path() / "esp.img";
    need(model::build_esp(esp, config.esp));
    model::PlatformEvents events;
    events.on_console_line = [this](const std::string& line) { lines_.push_back(line); };
    platform_ = need(model::Platform::start(std::move(config), std::move(events)));
}

std::optional<std::string> Boot::seen(const std::string& text) const {
    for (const std::string& line : lines_)
        if (line.find(text) != std::string::npos) return line;
    return {};
}

std::optional<std::string> Boot::event(const std::string& name) { return wait_for("@cm event=" + name + " "); }

bool Boot::says(const std::string& text) { return wait_for(text).has_value(); }

std::optional<std::string> Boot::wait_for(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{2};
    while (!seen(text) && !platform_->ending() && std::chrono::steady_clock::now() < deadline)
        platform_->step(model::Millis{100});
    return seen(text);
}

Bytes Boot::memory(std::uint64_t address, std::size_t size) {
    const fs::path file = scratch_.path() / "memory";
    const auto saved =
        platform_->monitor("pmemsave", {{"val", address}, {"size", size}, {"filename", file.string()}});
    return saved ? read_file(file) : Bytes{};
}

std::string field(const std::string& line, const std::string& key) {
    const std::size_t start = line.find(" " + key + "=");
    if (start == std::string::npos) return {};
    const std::size_t value = start + key.size() + 2;
    return line.substr(value, line.find_first_of(" \r\n", value) - value);
}

} // namespace casemate::launch_test
