// SPDX-License-Identifier: Apache-2.0
// What an owner keeps of one platform (docs/interfaces/platform-directory.md): a directory that nobody else can enter. A file in it is
// replaced whole, and is on the disk when the call returns: after a power cut there is the old one or the new one.
#pragma once

#include "attest/owner/error.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

namespace casemate::owner {

class PlatformDirectory {
public:
    /// Refuses one that is another user's or open to others. Waits for nobody: while another command changes the directory, this one is
    /// refused.
    static Outcome<PlatformDirectory> open(const std::filesystem::path& path);
    /// Makes it, 0700, with its parents, when it is absent.
    static Outcome<PlatformDirectory> make(const std::filesystem::path& path);
    PlatformDirectory(PlatformDirectory&& other) noexcept;
    PlatformDirectory& operator=(PlatformDirectory&&) = delete;
    ~PlatformDirectory();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Nothing when there is no such file. At most 1 MiB.
    [[nodiscard]] Outcome<std::optional<std::string>> read(const char* name) const;
    Status<Error> replace(const char* name, std::string_view text) const;
    /// A file that is not there is removed.
    Status<Error> remove(const char* name) const;

private:
    PlatformDirectory(std::filesystem::path path, int descriptor) : path_{std::move(path)}, descriptor_{descriptor} {}
    std::filesystem::path path_;
    int descriptor_; // of the directory, locked
};

} // namespace casemate::owner
