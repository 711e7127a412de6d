// SPDX-License-Identifier: Apache-2.0
// See platform_directory.hpp.
#include "attest/owner/platform_directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace casemate::owner {
namespace {

constexpr std::size_t max_file = 1 << 20;

class File {
public:
    explicit File(int descriptor) : descriptor_{descriptor} {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] int get() const { return descriptor_; }

private:
    int descriptor_;
};

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

} // namespace

Outcome<PlatformDirectory> PlatformDirectory::make(const std::filesystem::path& path) {
    std::error_code problem;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), problem);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("cannot make " + path.string());
    return open(path);
}

Outcome<PlatformDirectory> PlatformDirectory::open(const std::filesystem::path& path) {
    PlatformDirectory directory{path, ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory.descriptor_ < 0 && errno == ENOENT)
        return fail("there is no platform in " + path.string() + ": provision it first (./casemate provision --help)");
    if (directory.descriptor_ < 0) return fail_errno("cannot open " + path.string());
    struct stat status {};
    if (::fstat(directory.descriptor_, &status) != 0) return fail_errno("cannot look at " + path.string());
    if (status.st_uid != ::geteuid()) return fail(path.string() + " belongs to another user");
    if ((status.st_mode & 077) != 0) return fail(path.string() + " is open to other users: chmod go-rwx it");
    if (::flock(directory.descriptor_, LOCK_EX | LOCK_NB) != 0)
        return fail(path.string() + " is being changed by another command: try again when that has ended");
    return directory;
}

PlatformDirectory::PlatformDirectory(PlatformDirectory&& other) noexcept
    : path_{std::move(other.path_)}, descriptor_{std::exchange(other.descriptor_, -1)} {}

PlatformDirectory::~PlatformDirectory() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Outcome<std::optional<std::string>> PlatformDirectory::read(const char* name) const {
    const File file{::openat(descriptor_, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (file.get() < 0 && errno == ENOENT) return std::optional<std::string>{};
    if (file.get() < 0) return fail_errno("cannot read " + (path_ / name).string());
    std::string text(max_file + 1, '\0');
    std::size_t size = 0;
    for (ssize_t count = 1; count > 0 && size < text.size(); size += static_cast<std::size_t>(count)) {
        count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count < 0) return fail_errno("cannot read " + (path_ / name).string());
    }
    if (size > max_file) return fail((path_ / name).string() + " is larger than 1 MiB");
    text.resize(size);
    return std::optional{std::move(text)};
}

Status<Error> PlatformDirectory::replace(const char* name, std::string_view text) const {
    const std::string aside = std::string{name} + ".new";
    const File file{::openat(descriptor_, aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    const bool written = file.get() >= 0 && write_all(file.get(), text) && ::fsync(file.get()) == 0 &&
                         ::renameat(descriptor_, aside.c_str(), descriptor_, name) == 0 && ::fsync(descriptor_) == 0;
    if (!written) return fail_errno("cannot write " + (path_ / name).string());
    return Done{};
}

Status<Error> PlatformDirectory::remove(const char* name) const {
    if (::unlinkat(descriptor_, name, 0) != 0 && errno != ENOENT) return fail_errno("cannot remove " + (path_ / name).string());
    if (::fsync(descriptor_) != 0) return fail_errno("cannot write " + path_.string());
    return Done{};
}

} // namespace casemate::owner
