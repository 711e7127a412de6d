// SPDX-License-Identifier: Apache-2.0
// See test_tpm.hpp.
#include "tests/platform/secret/test_tpm.hpp"

#include "dlaunch/measure/tpm_wire.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <openssl/rand.h>

namespace casemate::secret_test {
namespace {

template <typename T>
T take(Result<T, model::Error> result) {
    if (!result.ok()) FAIL(result.error().text);
    return std::move(result).value();
}

} // namespace

TestTpm::TestTpm()
    : state_{take(model::StateDir::create())}, identity_{take(model::ensure_tpm(state_.path() / "tpm", "sha256"))},
      tpm_{take(model::SoftwareTpm::start(identity_.directory))} {}

void TestTpm::launch() {
    constexpr std::uint8_t block[] = {'s', 'l', 'b'};
    take(tpm_->launch(block));
}

void TestTpm::power_cycle() {
    tpm_.reset();
    tpm_ = take(model::SoftwareTpm::start(identity_.directory));
}

Bytes TestTpm::exchange(ByteView bytes, std::uint8_t locality) { return take(tpm_->exchange(bytes, locality)); }

secret::TpmExchange TestTpm::owner() {
    return [this](ByteView command) { return exchange(command, 0); };
}

Result<ByteSpan, measure::TpmFault> TestTpm::transmit(ByteView bytes, ByteSpan response) {
    Bytes answer = exchange(bytes, locality_);
    ++commands;
    if (spoil_response-- == 0) answer.back() ^= 1;
    wire.insert(wire.end(), bytes.begin(), bytes.end());
    wire.insert(wire.end(), answer.begin(), answer.end());
    if (answer.size() > response.size()) return Failure{measure::TpmFault{}};
    std::copy(answer.begin(), answer.end(), response.begin());
    return response.first(answer.size());
}

bool TestTpm::random(ByteSpan out) { return has_random && RAND_bytes(out.data(), static_cast<int>(out.size())) == 1; }

secret::Digest TestTpm::pcr(std::uint32_t index) {
    Bytes bytes(64);
    const Bytes response = exchange(measure::tpm2_pcr_read(bytes, measure::TPM_ALG_ID::SHA256, index), 0);
    const auto digest = measure::parse_pcr_read(response, measure::TPM_ALG_ID::SHA256, index);
    REQUIRE(digest.ok());
    secret::Digest value;
    std::copy_n(digest.value().storage.begin(), value.size(), value.begin());
    return value;
}

void TestTpm::extend(std::uint32_t index, const secret::Digest& digest) {
    measure::Digest one{measure::TPM_ALG_ID::SHA256, {}};
    std::copy(digest.begin(), digest.end(), one.storage.begin());
    measure::DigestSet set;
    set.add(one);
    Bytes bytes(128);
    REQUIRE(measure::parse_empty_response(exchange(measure::tpm2_pcr_extend(bytes, index, set), 2)).ok());
}

std::size_t TestTpm::loaded_handles() {
    constexpr std::uint32_t capability_handles = 1;
    std::size_t count = 0;
    for (const std::uint32_t first : {0x80000000u, 0x02000000u, 0x03000000u}) { // transient, loaded sessions, saved sessions
        std::array<std::uint8_t, 64> buffer;
        measure::TpmCommand command{buffer, measure::TPM_ST_NO_SESSIONS, measure::TPM_CC::GetCapability};
        for (const std::uint32_t word : {capability_handles, first, 16u}) command.body.u32(word);
        const Bytes response = exchange(command.finish(), 0);
        auto reader = measure::open_response(response, measure::TPM_ST_NO_SESSIONS);
        REQUIRE(reader.ok());
        reader.value().bytes(1 + 4); // moreData, capability
        count += reader.value().u32();
    }
    return count;
}

} // namespace casemate::secret_test
