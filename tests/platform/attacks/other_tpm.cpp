// SPDX-License-Identifier: Apache-2.0
// See other_tpm.hpp.
#include "tests/platform/attacks/other_tpm.hpp"

#include "dlaunch/model/tpm_identity.hpp"

#include <fstream>
#include <thread>

namespace casemate::platform_test {

namespace {

constexpr model::Millis tool_limit{30000};

std::vector<std::uint8_t> contents(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

OtherTpm::OtherTpm() {
    const auto state = scratch_.path() / "tpm";
    const std::string place = "path=" + (scratch_.path() / "sock").string();
    tcti_ = "swtpm:" + place;
    auto reactor = model::Reactor::create();
    if (!model::ensure_tpm(state, "sha256,sha384").ok() || !reactor.ok()) return;
    reactor_ = std::move(reactor).value();
    auto started = model::Child::start(
        *reactor_,
        {"swtpm", {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state.string(), "--server", "type=unixio," + place,
                   "--ctrl", "type=unixio," + place + ".ctrl", "--flags", "startup-clear,not-need-init"}},
        {});
    if (!started.ok()) return;
    swtpm_ = std::move(started).value();
    for (int tries = 0; tries < 50 && !ready_; ++tries) {
        ready_ = tool({"tpm2_createprimary", "-Q", "-C", "e", "-G", "ecc256:ecdsa-sha256:null", "-a",
                       "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign", "-c", scratch_.path() / "ak"});
        if (!ready_) std::this_thread::sleep_for(std::chrono::milliseconds{100}); // it may not listen yet
    }
}

OtherTpm::~OtherTpm() {
    if (swtpm_) swtpm_->stop(model::Millis{2000});
}

bool OtherTpm::tool(std::vector<std::string> command) const {
    return model::run_tool({.name = command.front(), .command = command, .environment = {{"TPM2TOOLS_TCTI", tcti_}}, .inherited = {}},
                           tool_limit)
        .ok();
}

OtherTpm::Quote OtherTpm::quote(const std::string& qualifying_data_hex) const {
    const auto attest = scratch_.path() / "attest", signature = scratch_.path() / "signature";
    const bool good = tool({"tpm2_quote", "-Q", "-c", scratch_.path() / "ak", "-l", "sha256:17,18,19,20,21,22+sha384:17,18,19,20,21,22",
                            "-q", qualifying_data_hex, "-m", attest, "-s", signature});
    return good ? Quote{contents(attest), contents(signature)} : Quote{};
}

} // namespace casemate::platform_test
