// SPDX-License-Identifier: Apache-2.0
// A log that reads re-writes to the same bytes when all its events are tagged ones; ledger payloads re-encode too.
#include "dlaunch/measure/event_log.hpp"
#include "dlaunch/measure/ledger_entry.hpp"

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace casemate;
using namespace casemate::measure;

namespace {

void check_payload(ByteView data) {
    const auto tagged = parse_tagged(data);
    if (!tagged) return;
    const auto entry = parse_ledger_entry(tagged->payload);
    if (!entry) return;
    std::uint8_t buffer[max_ledger_event];
    const ByteView again = encode(buffer, *entry);
    if (again.size() != tagged->payload.size() + 8 || !equal(again.subspan(8), tagged->payload)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView log{data, size};
    check_payload(log);
    auto reader = EventLogReader::open(log);
    if (!reader.ok()) return 0;
    std::vector<std::uint8_t> copy(size);
    auto writer = EventLogWriter::create(copy, reader.value().banks());
    if (!writer.ok()) std::abort();
    while (!reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) return 0;
        check_payload(event.value().data);
        if (event.value().type != EV_EVENT_TAG) return 0;
        if (!writer.value().append(event.value().pcr, event.value().digests, event.value().data).ok()) std::abort();
    }
    if (!equal(writer.value().log(), log)) std::abort();
    return 0;
}
