// SPDX-License-Identifier: Apache-2.0
// See secret_file.hpp.
#include "attest/keystore/secret_file.hpp"

#include <array>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

namespace casemate::keystore {
namespace {

constexpr std::size_t max_secret = 256;

class File {
public:
    explicit File(const std::string& path) : descriptor_{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)} {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
    /// Of the file that is open, not of whatever has its name by then.
    [[nodiscard]] bool is_private() const {
        struct stat status {};
        return ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077) == 0 &&
               (status.st_uid == ::geteuid() || status.st_uid == 0);
    }
    [[nodiscard]] ssize_t read(char* to, std::size_t size) const { return ::read(descriptor_, to, size); }

private:
    int descriptor_;
};

using Buffer = std::array<char, max_secret + 2>;

/// What fits of the file; the caller wipes the buffer.
Result<std::string_view, std::string> read_private(const std::string& path, Buffer& buffer) {
    const File file{path};
    if (!file.is_open()) return Failure{"cannot read the secret in " + path};
    if (!file.is_private()) return Failure{path + " must be a file that only this user can read (mode 0600)"};
    const ssize_t count = file.read(buffer.data(), buffer.size());
    return std::string_view{buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

/// Wiped when it goes.
struct Wiped : Buffer {
    ~Wiped() { OPENSSL_cleanse(data(), size()); }
};

} // namespace

Secret::~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }

Result<Secret, std::string> read_secret(const std::string& path) {
    Wiped buffer{};
    const std::string_view text = TRY(read_private(path, buffer));
    const std::size_t size = std::min(text.find('\n'), text.size());
    if (size == 0 || size > max_secret) return Failure{"the secret in " + path + " must be a line of 1 to 256 bytes"};
    return Secret{std::string{text.substr(0, size)}};
}

Result<Secret, std::string> read_password(const std::string& path, std::size_t limit) {
    Wiped buffer{};
    std::string_view text = TRY(read_private(path, buffer));
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.empty() || text.size() > std::min(limit, max_secret))
        return Failure{"the password in " + path + " must have 1 to " + std::to_string(std::min(limit, max_secret)) + " bytes, and one newline behind it at most"};
    return Secret{std::string{text}};
}

} // namespace casemate::keystore
