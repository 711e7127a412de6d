// SPDX-License-Identifier: Apache-2.0
// Any stream of bytes into the frame receiver; every frame it accepts must encode to a frame that it accepts again.
#include "attest/relay/frame.hpp"

#include <cstdlib>
#include <vector>

using namespace casemate::relay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::vector<std::uint8_t> buffer(4096);
    FrameReceiver receiver{buffer};
    for (std::size_t i = 0; i < size; ++i) {
        const auto result = receiver.push(data[i]);
        if (!result || !result->ok()) continue;
        const std::vector<std::uint8_t> payload(result->value().begin(), result->value().end());
        std::vector<std::uint8_t> frame(max_frame_size(payload.size()));
        const auto length = encode_frame(payload, frame);
        if (!length.ok()) std::abort();
        const auto again = decode_frame({frame.data(), length.value() - 1});
        if (!again.ok() || !casemate::equal(again.value(), payload)) std::abort();
    }
    return 0;
}
