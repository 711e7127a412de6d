// SPDX-License-Identifier: Apache-2.0
// The log of a TXT launch: reading ends and stays inside its bytes, nothing is proved without a quote, and what a log gives is its own
// reference. The first byte says how many of the others are a quote, a signature and a key.
#include "attest/txt/explanation.hpp"

#include <algorithm>
#include <cstdlib>

using namespace casemate;
using namespace casemate::txt;

namespace {

bool inside(ByteView part, ByteView whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_log_alone(ByteView file) {
    const Explanation explanation = explain(file, nullptr, nullptr);
    if (explanation.verdict == TxtVerdict::proven || explanation.verdict == TxtVerdict::affirming) std::abort();
    if ((explanation.first_fault() == nullptr) != (explanation.verdict == TxtVerdict::unproven)) std::abort();
    std::size_t last = 0;
    for (const ExplainedRecord& each : explanation.records) {
        if (!inside(each.record.event.data, file) || each.proved || each.data_proved) std::abort();
        if (each.record.offset <= last && last != 0) std::abort();
        last = each.record.offset;
    }
    (void)explanation.summary();
}

void check_quoted(ByteView file, ByteView quote) {
    const auto part = [&](std::size_t which) {
        const ByteView piece = quote.subspan(quote.size() * which / 4, quote.size() / 4);
        return verifier::Bytes{piece.begin(), piece.end()};
    };
    const QuoteFiles files{part(0), part(1), part(2), {}, part(3)};
    const Explanation explanation = explain(file, &files, nullptr);
    // No key of a fuzzer's signs anything.
    if (explanation.verdict != TxtVerdict::refused) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView rest{data + 1, size - 1};
    const std::size_t quote = std::min<std::size_t>(data[0] * 4U, rest.size());
    check_log_alone(rest.subspan(quote));
    if (quote != 0) check_quoted(rest.subspan(quote), rest.first(quote));
    return 0;
}
