// SPDX-License-Identifier: Apache-2.0
// Implements files.hpp.
#include "drivervms/image/files.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <openssl/sha.h>
#include <stdexcept>
#include <unistd.h>

namespace casemate::image {
namespace {

/// A private directory for the files that a tool reads and writes, removed at the end.
class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "casemate-image-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        path_ = pattern;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    [[nodiscard]] std::filesystem::path file(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// Runs `command INPUT > OUTPUT` over bytes.
Bytes filtered(const Bytes& bytes, const std::string& command) {
    const ScratchDirectory scratch;
    const auto in = scratch.file("in");
    const auto out = scratch.file("out");
    write_file(in, bytes);
    const std::string line = command + " < '" + in.string() + "' > '" + out.string() + "'";
    if (std::system(line.c_str()) != 0) throw std::runtime_error("failed: " + command);
    return read_file(out);
}

} // namespace

Bytes read_file(const std::filesystem::path& path) {
    std::ifstream stream{path, std::ios::binary};
    Bytes bytes{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream.is_open() || stream.bad()) throw std::runtime_error("cannot read " + path.string());
    return bytes;
}

void write_file(const std::filesystem::path& path, const Bytes& bytes) {
    const std::filesystem::path draft = path.string() + ".part";
    {
        std::ofstream stream{draft, std::ios::binary | std::ios::trunc};
        stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!stream.flush()) throw std::runtime_error("cannot write " + draft.string());
    }
    std::filesystem::rename(draft, path);
}

std::string sha256_hex(const Bytes& bytes) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(bytes.data(), bytes.size(), digest);
    std::string hex;
    for (const unsigned char byte : digest) {
        hex.push_back("0123456789abcdef"[byte >> 4]);
        hex.push_back("0123456789abcdef"[byte & 15]);
    }
    return hex;
}

Bytes compressed(const Bytes& bytes, const std::string& method) {
    if (method == "none") return bytes;
    // A small window: the kernel sets memory aside for it beside the packed and the unpacked image, in VMs that have little.
    if (method == "zstd") return filtered(bytes, "zstd -19 --zstd=wlog=20 --single-thread --no-check -q -c");
    throw std::runtime_error("unknown compression " + method);
}

Bytes decompressed(const Bytes& bytes, const std::string& method) {
    for (const char* known : {"xz", "zstd", "lz4"})
        if (method == known) return filtered(bytes, method + " -dqc");
    throw std::runtime_error("unknown compression " + method);
}

Bytes read_module(const std::filesystem::path& path) {
    const Bytes bytes = read_file(path);
    if (path.extension() == ".xz") return decompressed(bytes, "xz");
    if (path.extension() == ".zst") return decompressed(bytes, "zstd");
    return bytes;
}

} // namespace casemate::image
