// SPDX-License-Identifier: Apache-2.0
// See timed_tpm.hpp.
#include "tests/bench/secret/timed_tpm.hpp"

#include "dlaunch/measure/tpm_command.hpp"
#include "dlaunch/measure/tpm_wire.hpp"
#include "dlaunch/model/tpm_identity.hpp"

#include <algorithm>
#include <chrono>
#include <openssl/rand.h>
#include <stdexcept>

namespace casemate::bench::secret {
namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
T take(model::Outcome<T> outcome) {
    if (!outcome.ok()) throw std::runtime_error(outcome.error().text);
    return std::move(outcome).value();
}

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

} // namespace

TimedTpm::TimedTpm(const std::filesystem::path& directory)
    : tpm_{take(model::SoftwareTpm::start(take(model::ensure_tpm(directory, "sha256,sha384")).directory))} {
    constexpr std::uint8_t block[] = {'s', 'l', 'b'};
    take(tpm_->launch(block));
}

std::vector<std::uint8_t> TimedTpm::exchange(ByteView command, std::uint8_t locality) { return take(tpm_->exchange(command, locality)); }

Result<ByteSpan, measure::TpmFault> TimedTpm::transmit(ByteView command, ByteSpan response) {
    const auto start = Clock::now();
    const auto answer = exchange(command, 2);
    commands.push_back({BigEndianReader{command.subspan(6)}.u32(), milliseconds_since(start)});
    if (answer.size() > response.size()) return Failure{measure::TpmFault{}};
    std::copy(answer.begin(), answer.end(), response.begin());
    return response.first(answer.size());
}

bool TimedTpm::random(ByteSpan out) { return RAND_bytes(out.data(), static_cast<int>(out.size())) == 1; }

casemate::secret::TpmExchange TimedTpm::owner() {
    return [this](ByteView command) { return exchange(command, 0); };
}

casemate::secret::Digest TimedTpm::pcr(std::uint32_t index) {
    std::array<std::uint8_t, 64> buffer;
    const auto response = exchange(measure::tpm2_pcr_read(buffer, measure::TPM_ALG_ID::SHA256, index), 0);
    const auto digest = measure::parse_pcr_read(response, measure::TPM_ALG_ID::SHA256, index);
    if (!digest.ok()) throw std::runtime_error("the TPM does not give a PCR");
    casemate::secret::Digest value;
    std::copy_n(digest.value().storage.begin(), value.size(), value.begin());
    return value;
}

double TimedTpm::empty_command() {
    std::array<std::uint8_t, 16> buffer;
    measure::TpmCommand command{buffer, measure::TPM_ST_NO_SESSIONS, measure::TPM_CC::ReadClock};
    const ByteView bytes = command.finish();
    const auto start = Clock::now();
    (void)exchange(bytes, 0);
    return milliseconds_since(start);
}

} // namespace casemate::bench::secret
