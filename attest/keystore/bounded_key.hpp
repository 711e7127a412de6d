// SPDX-License-Identifier: Apache-2.0
// A device that is given so long and no longer: its calls are made on a thread of their own, one at a time, and a caller who has
// waited long enough is told that the device is silent. While a call hangs, further callers are told at once. What the hanging call returns in the
// end is thrown away, and from then on the device is asked again. Made by open_key() around every device.
#pragma once

#include <chrono>
#include <memory>
#include <thread>

#include "attest/cose/signing_key.hpp"

namespace casemate::keystore {

class BoundedKey final : public cose::SigningKey {
public:
    BoundedKey(std::shared_ptr<const cose::SigningKey> device, std::chrono::milliseconds limit);
    /// Closes the device, before the program ends and its libraries go. Does not wait for a call that hangs: its thread keeps what it needs
    /// and ends when the device lets it.
    ~BoundedKey() override;
    BoundedKey(const BoundedKey&) = delete;
    BoundedKey& operator=(const BoundedKey&) = delete;

    [[nodiscard]] const cose::PublicPoint& public_key() const override;
    [[nodiscard]] bool is_device() const override;
    /// `device_silent` after the limit.
    [[nodiscard]] Result<cose::RawSignature, cose::SignError> sign_digest(ByteView digest) const override;

private:
    class Worker;
    const std::shared_ptr<Worker> worker_;
    const std::chrono::milliseconds limit_;
    std::thread thread_;
};

} // namespace casemate::keystore
