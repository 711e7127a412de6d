// SPDX-License-Identifier: Apache-2.0
// Whatever the reader accepts re-encodes to the same bytes: one value, one encoding.
#include "hypervisor/base/cbor_reader.hpp"
#include "hypervisor/base/cbor_writer.hpp"
#include "tests/unit/cbor_walk.hpp"

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace casemate;

namespace {

void copy_item(CborReader& in, CborWriter& out) {
    switch (in.peek()) {
    case CborType::unsigned_integer: out.u64(in.u64()); return;
    case CborType::negative_integer: out.integer(in.integer()); return;
    case CborType::bytes: out.bytes(in.bytes(SIZE_MAX)); return;
    case CborType::text: out.text(in.text(SIZE_MAX)); return;
    case CborType::simple: out.boolean(in.boolean()); return;
    case CborType::tag:
        out.tag(in.tag());
        if (in.ok()) copy_item(in, out);
        return;
    case CborType::array: {
        const std::size_t count = in.array_size(SIZE_MAX);
        out.array(count);
        for (std::size_t i = 0; i < count && in.ok(); ++i) copy_item(in, out);
        return;
    }
    case CborType::map: {
        const std::size_t count = in.map_size(SIZE_MAX);
        out.map(count);
        for (std::size_t i = 0; i < count && in.ok(); ++i) {
            out.key(in.key());
            if (in.ok()) copy_item(in, out);
        }
        return;
    }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    CborReader in{{data, size}};
    std::vector<std::uint8_t> buffer(size * 2 + 16);
    CborWriter out{buffer};
    copy_item(in, out);
    if (in.finished() && (out.size() != size || std::memcmp(buffer.data(), data, size) != 0)) std::abort();

    CborReader whole{{data, size}};
    test::read_any(whole);
    if (in.finished() != whole.finished()) std::abort();
    return 0;
}
