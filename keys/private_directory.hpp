// SPDX-License-Identifier: Apache-2.0
// A directory for private keys: mode 0700, owned by the caller, files 0600.
// Invariant: a file that exists is never changed, and a file that appears is complete (written aside, then linked),
// so a killed run leaves nothing that the next one would trip over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace casemate::keys {

class PrivateDirectory {
public:
    /// Makes the directory and its parents when absent; refuses one that others can enter or that is not ours.
    static PrivateDirectory create(const std::string& path);

    /// The whole file, or nothing when it does not exist. Refuses one that others can read.
    [[nodiscard]] std::optional<std::string> read(const std::string& name) const;
    /// Of all files, ascending.
    [[nodiscard]] std::vector<std::string> names() const;
    /// Refuses to replace a file.
    void move(const std::string& from, const std::string& to) const;
    /// Refuses to replace a file.
    void write_new(const std::string& name, std::string_view text) const;

private:
    explicit PrivateDirectory(std::string path) : path_{std::move(path)} {}
    std::string path_;
};

} // namespace casemate::keys
