// SPDX-License-Identifier: Apache-2.0
// See filled_store.hpp.
#include "tests/bench/attest/filled_store.hpp"

#include <algorithm>

#include <sys/stat.h>

#include "attest/store/store.hpp"
#include "attest/verifier/crypto.hpp"
#include "attest/verifier/encoding.hpp"

namespace casemate::bench::attest {
namespace {

using verifier::random_bytes;
using verifier::to_hex;

constexpr std::size_t at_once = 500; // platforms in one commit
constexpr std::size_t evidence_size = 1000;

void add_platform(store::Store& rows) {
    store::Platform platform;
    platform.identity = {to_hex(random_bytes(32)), random_bytes(90), random_bytes(88), random_bytes(600), "sha256,sha384"};
    platform.token_hash = random_bytes(32);
    platform.token_expires_at = 1;
    if (rows.bind_platform(platform) != store::BindOutcome::bound) throw std::runtime_error("two platforms with one id");
    for (const char* device : {"0000:00:03.0", "0000:00:04.0"}) {
        store::Grant grant;
        grant.id = to_hex(random_bytes(16));
        grant.platform_id = platform.identity.platform_id;
        grant.launch_id = random_bytes(32);
        grant.gate_nonce = random_bytes(32);
        grant.vm_id = random_bytes(32);
        grant.device = device;
        grant.cose = random_bytes(350);
        rows.add_grant(grant);
    }
    store::AppraisalRecord result;
    result.platform_id = platform.identity.platform_id;
    result.challenge_id = to_hex(random_bytes(16));
    result.verdict = "affirming";
    result.reasons = "[]";
    result.evidence = "{\"log\":\"" + to_hex(random_bytes(evidence_size / 2)) + "\"}";
    result.nonce = random_bytes(32);
    rows.add_result(result, store::ClockInfo{1, 1, 1}, 200);
}

} // namespace

void fill_store(const std::filesystem::path& state, std::size_t platforms) {
    if (::mkdir(state.c_str(), 0700) != 0) throw std::runtime_error("cannot make " + state.string());
    const auto rows = store::open_sqlite_store(state / "verifier.sqlite");
    for (std::size_t filled = 0; filled < platforms;) {
        const auto unit = rows->begin();
        for (const std::size_t until = std::min(platforms, filled + at_once); filled < until; ++filled) add_platform(*rows);
        unit->commit();
    }
}

} // namespace casemate::bench::attest
