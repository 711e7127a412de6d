// SPDX-License-Identifier: Apache-2.0
// The entries of a verified log's ledger, for display, storage and audit.
#pragma once

#include "attest/evidence/trust.hpp"
#include "dlaunch/measure/ledger_entry.hpp"

namespace casemate::attest {

/// Calls visit(const measure::LedgerEntry&) for each entry in order. Appraisal::log is the argument; after an affirming
/// verdict every entry is known to parse, before that it stops at the first that does not.
template <typename Visitor>
void for_each_ledger_entry(const Verified<ByteView>& log, Visitor visit) {
    auto reader = measure::EventLogReader::open(log.get());
    while (reader.ok() && !reader.value().at_end()) {
        const auto event = reader.value().next();
        const auto data = event.ok() ? measure::parse_tagged(event.value().data) : std::nullopt;
        if (!data) return;
        if (data->tag != measure::EventTag::ledger) continue;
        const auto entry = measure::parse_ledger_entry(data->payload);
        if (!entry) return;
        visit(*entry);
    }
}

} // namespace casemate::attest
