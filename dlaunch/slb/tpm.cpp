// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/tpm.hpp"

#include "dlaunch/measure/pcr_map.hpp"

namespace casemate::slb {

namespace {

constexpr unsigned most_tries = 5; // of one command, when the TPM says "again"

LaunchFailure failure_of(measure::TpmFault fault) {
    switch (fault.kind) {
    case measure::TpmFaultKind::unsupported_bank:
    case measure::TpmFaultKind::no_bank: return LaunchFailure::tpm_banks;
    default: return LaunchFailure::tpm_refused;
    }
}

} // namespace

Status<LaunchFailure> Tpm::take_locality() {
    const auto taken = tis_.take_locality();
    if (!taken.ok()) return Failure{slb::failure_of(taken.error())};
    return Done{};
}

Result<ByteView, LaunchFailure> Tpm::exchange(ByteView command) {
    for (unsigned tries = 1;; ++tries) {
        const auto response = tis_.transmit(command, response_);
        if (!response.ok()) return Failure{slb::failure_of(response.error())};
        BigEndianReader header{response.value()}; // TPM_ST, responseSize, responseCode [TPM2-P1 18.1]
        header.bytes(6);
        const measure::TpmFault answer{measure::TpmFaultKind::refused, header.u32()};
        if (!answer.try_again()) return response.value();
        if (tries == most_tries) return Failure{LaunchFailure::tpm_refused};
    }
}

Result<measure::Banks, LaunchFailure> Tpm::active_banks() {
    const auto banks = measure::parse_get_capability_pcrs(TRY(exchange(measure::tpm2_get_capability_pcrs(command_))));
    if (!banks.ok()) return Failure{failure_of(banks.error())};
    return banks.value();
}

Result<measure::Digest, LaunchFailure> Tpm::read(measure::TPM_ALG_ID bank, std::uint32_t pcr) {
    const ByteView response = TRY(exchange(measure::tpm2_pcr_read(command_, bank, pcr)));
    const auto value = measure::parse_pcr_read(response, bank, pcr);
    if (!value.ok()) return Failure{failure_of(value.error())};
    return value.value();
}

Status<LaunchFailure> Tpm::extend(std::uint32_t pcr, const measure::DigestSet& digests) {
    const auto extended = measure::parse_empty_response(TRY(exchange(measure::tpm2_pcr_extend(command_, pcr, digests))));
    if (!extended.ok()) return Failure{failure_of(extended.error())};
    return Done{};
}

bool cap_launch_pcrs(const hw::Clock& clock) {
    Tpm tpm{clock};
    if (!tpm.take_locality().ok()) return false;
    const auto banks = tpm.active_banks();
    if (!banks.ok()) return false;
    measure::DigestSet cap;
    for (const measure::TPM_ALG_ID bank : banks.value()) cap.add(measure::Digest::filled(bank, 0xff));
    bool capped = true;
    for (std::uint32_t pcr = measure::first_launch_pcr; pcr <= measure::last_launch_pcr; ++pcr)
        capped = tpm.extend(pcr, cap).ok() && capped;
    tpm.release_locality();
    return capped;
}

} // namespace casemate::slb
