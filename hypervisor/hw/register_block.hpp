// SPDX-License-Identifier: Apache-2.0
// The registers of one device as a narrow interface, so that a driver runs against hardware or a test's
// model. Offsets are in bytes from the block's base; an access has exactly the width it names.
#pragma once

#include <cstdint>

namespace casemate::hw {

class RegisterBlock {
public:
    [[nodiscard]] virtual std::uint64_t read64(std::uint64_t offset) const = 0;
    virtual void write64(std::uint64_t offset, std::uint64_t value) = 0;

protected:
    ~RegisterBlock() = default;
};

} // namespace casemate::hw
