// SPDX-License-Identifier: Apache-2.0
// casemate-peer: the other end of the network proof, a program on stdin and stdout so that QEMU's user network can
// start one for each connection (`guestfwd=tcp:10.0.2.100:7001-cmd:casemate-peer download BYTES SEED`).
//   download BYTES SEED   streams Pattern(SEED)
//   upload RESULT         reads to the end, answers with the SHA-256 in hex, and writes {"bytes":, "sha256":} to RESULT,
//                         or to RESULT/SHA-256.json when that is a directory
//   repeat BYTES TEXT     streams TEXT again and again
//   digest BYTES SEED     prints what a correct transfer of Pattern(SEED) has as its SHA-256
//   forward PORT          joins this to a server on 127.0.0.1 (forward.hpp)
//   serve ADDRESS PORT    the other end of the measurements of `casemate bench` (serve.hpp)
#include "drivervms/probe/digest.hpp"
#include "drivervms/probe/io.hpp"
#include "drivervms/probe/pattern.hpp"
#include "tests/platform/peer/forward.hpp"
#include "tests/platform/peer/serve.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace casemate;
using namespace casemate::probe;

namespace {

constexpr std::size_t chunk = 256 * 1024;

template <typename Consumer>
void for_each_part(std::uint64_t bytes, std::uint64_t seed, Consumer consume) {
    Pattern pattern{seed};
    std::vector<std::uint8_t> buffer(chunk);
    while (bytes != 0) {
        const ByteSpan part = ByteSpan{buffer}.first(std::min<std::uint64_t>(bytes, chunk));
        pattern.fill(part);
        consume(part);
        bytes -= part.size();
    }
}

void upload(const std::string& result) {
    std::vector<std::uint8_t> buffer(chunk);
    Digest digest;
    std::uint64_t bytes = 0;
    while (const std::size_t count = read_some(STDIN_FILENO, buffer)) {
        digest.update({buffer.data(), count});
        bytes += count;
    }
    const std::string hex = digest.hex();
    const std::string file = std::filesystem::is_directory(result) ? result + "/" + hex + ".json" : result;
    const std::string draft = file + "." + std::to_string(getpid()) + ".part"; // several peers may run
    std::ofstream{draft} << "{\"bytes\": " << bytes << ", \"sha256\": \"" << hex << "\"}\n";
    if (std::rename(draft.c_str(), file.c_str()) != 0) throw failed("rename to " + file);
    const std::string answer = hex + "\n";
    write_all(STDOUT_FILENO, {reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size()});
}

void repeat(std::uint64_t bytes, const std::string& text) {
    std::string part;
    while (part.size() < chunk) part += text;
    for (std::uint64_t sent = 0; sent < bytes;) {
        const std::uint64_t size = std::min<std::uint64_t>(bytes - sent, part.size() / text.size() * text.size());
        write_all(STDOUT_FILENO, {reinterpret_cast<const std::uint8_t*>(part.data()), size});
        sent += size;
    }
}

void print_digest(std::uint64_t bytes, std::uint64_t seed) {
    Digest digest;
    for_each_part(bytes, seed, [&](ByteView part) { digest.update(part); });
    std::puts(digest.hex().c_str());
}

} // namespace

int main(int argc, char** argv) try {
    std::signal(SIGPIPE, SIG_IGN);
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "upload" && argc == 3) return upload(argv[2]), 0;
    if (what == "forward" && argc == 3) return forward(static_cast<std::uint16_t>(std::stoul(argv[2]))), 0;
    if (what == "serve" && argc == 4) serve(argv[2], static_cast<std::uint16_t>(std::stoul(argv[3])));
    if (what == "repeat" && argc == 4 && *argv[3] != '\0') return repeat(std::stoull(argv[2]), argv[3]), 0;
    if (argc == 4) {
        const std::uint64_t bytes = std::stoull(argv[2]);
        const std::uint64_t seed = std::stoull(argv[3]);
        if (what == "digest") return print_digest(bytes, seed), 0;
        if (what == "download")
            return for_each_part(bytes, seed, [](ByteView part) { write_all(STDOUT_FILENO, part); }), 0;
    }
    std::fputs("usage: casemate-peer download BYTES SEED | upload RESULT | repeat BYTES TEXT | digest BYTES SEED |\n"
               "       serve ADDRESS PORT | forward PORT\n", stderr);
    return 2;
} catch (const std::exception& error) {
    std::fprintf(stderr, "casemate-peer: %s\n", error.what());
    return 1;
}
