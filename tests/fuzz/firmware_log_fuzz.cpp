// SPDX-License-Identifier: Apache-2.0
// A firmware log: reading ends, stays inside its bytes, and what replays can be compared.
#include "attest/appraise/firmware_match.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::attest;

namespace {

measure::Banks one_bank() {
    measure::Banks banks;
    (void)banks.add(measure::TPM_ALG_ID::SHA256);
    return banks;
}

bool inside(ByteView part, ByteView whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void walk(ByteView log) {
    auto reader = FirmwareLogReader::open(log);
    if (!reader.ok()) return;
    while (!reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) return;
        if (!inside(event.value().data, log) || event.value().digests.size() != reader.value().banks().size()) std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView log{data, size};
    walk(log);
    Reasons reasons;
    const measure::Banks banks = one_bank();
    const auto pcrs = replay_firmware(log, banks, reasons);
    if (pcrs.has_value() != reasons.empty()) std::abort();
    if (!pcrs) return 0;
    // What was replayed is its own reference, and another value is not.
    const measure::Digest value = pcrs->value(banks[0], 0);
    const FirmwareReplay replay{log, *pcrs};
    if (compare_firmware({0, std::span{&value, 1}, {}}, replay, banks)) std::abort();
    const measure::Digest other = measure::extended(value, value);
    if (!compare_firmware({0, std::span{&other, 1}, {}}, replay, banks)) std::abort();
    return 0;
}
