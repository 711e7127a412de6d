// SPDX-License-Identifier: Apache-2.0
// A PIN or password from a file that nobody else can read. Kept in memory that is wiped when it is given back.
#pragma once

#include <memory>
#include <string>

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::keystore {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_{std::move(text)} {}
    ~Secret();
    Secret(Secret&& other) noexcept = default;
    Secret& operator=(Secret&& other) noexcept = default;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;

    /// SAFETY: char and std::uint8_t alias.
    [[nodiscard]] ByteView bytes() const { return {reinterpret_cast<const std::uint8_t*>(text_.data()), text_.size()}; }
    [[nodiscard]] bool empty() const { return text_.empty(); }

private:
    std::string text_;
};

/// The first line, 1 to 256 bytes. Refuses, with a sentence, what is no regular file, belongs to another user than this one or
/// root, or can be read by group or others.
[[nodiscard]] Result<Secret, std::string> read_secret(const std::string& path);

/// The whole file but for one newline at its end, 1 to `limit` (at most 256) bytes, whatever they are. Refuses files as read_secret() does.
[[nodiscard]] Result<Secret, std::string> read_password(const std::string& path, std::size_t limit);

} // namespace casemate::keystore
