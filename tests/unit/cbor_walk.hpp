// SPDX-License-Identifier: Apache-2.0
// Any one CBOR item, whatever it holds: for tests of what the reader takes and refuses. The product reads known shapes only.
#pragma once

#include "hypervisor/base/cbor_reader.hpp"

namespace casemate::test {

inline void read_any(CborReader& in) {
    std::size_t parts = 0;
    bool keyed = false;
    switch (in.peek()) {
    case CborType::unsigned_integer: in.u64(); return;
    case CborType::negative_integer: in.integer(); return;
    case CborType::bytes: in.bytes(SIZE_MAX); return;
    case CborType::text: in.text(SIZE_MAX); return;
    case CborType::simple: in.boolean(); return;
    case CborType::tag: in.tag(), parts = 1; break;
    case CborType::array: parts = in.array_size(SIZE_MAX); break;
    case CborType::map: parts = in.map_size(SIZE_MAX), keyed = true; break;
    }
    for (; parts > 0 && in.ok(); --parts) {
        if (keyed) in.key();
        if (in.ok()) read_any(in);
    }
}

} // namespace casemate::test
