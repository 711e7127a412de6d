// SPDX-License-Identifier: Apache-2.0
// cm-probe: the traffic proofs of the driver VMs, one machine-readable line each.
//   cm-probe net OWN_ADDRESS PEER_ADDRESS MEGABYTES     downloads from port 7001, uploads to port 7002
//   cm-probe disk DEVICE MEGABYTES
// The proof line of a run that failed is `CM_PROOF <what> error="..."`, and the exit status 1.
#include "drivervms/probe/disk_probe.hpp"
#include "drivervms/probe/net_probe.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

using namespace casemate::probe;

namespace {

constexpr std::uint16_t download_port = 7001;
constexpr std::uint16_t upload_port = 7002;
constexpr std::uint64_t upload_seed = 2;
constexpr std::uint64_t disk_seed = 3;

std::uint64_t mebibytes(const char* text) { return std::strtoull(text, nullptr, 10) << 20; }

void prove_net(const char* own, const char* peer, const char* size) {
    const Transfer rx = download(peer, download_port);
    const Transfer tx = upload(peer, upload_port, mebibytes(size), upload_seed);
    std::printf("CM_PROOF net address=%s rx_bytes=%llu rx_sha256=%s tx_bytes=%llu tx_sha256=%s rx_seconds=%.3f "
                "tx_seconds=%.3f\n",
                own, static_cast<unsigned long long>(rx.bytes), rx.sha256.c_str(),
                static_cast<unsigned long long>(tx.bytes), tx.sha256.c_str(), rx.seconds, tx.seconds);
}

void print_disk(const char* device, const char* size) {
    const DiskProof proof = prove_disk(device, mebibytes(size), disk_seed);
    std::printf("CM_PROOF disk bytes=%llu write_sha256=%s read_sha256=%s write_seconds=%.3f read_seconds=%.3f\n",
                static_cast<unsigned long long>(proof.bytes), proof.write_sha256.c_str(),
                proof.read_sha256.c_str(), proof.write_seconds, proof.read_seconds);
}

int usage() {
    std::fputs("usage: cm-probe net OWN_ADDRESS PEER_ADDRESS MEGABYTES | cm-probe disk DEVICE MEGABYTES\n", stderr);
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (!(what == "net" && argc == 5) && !(what == "disk" && argc == 4)) return usage();
    try {
        if (what == "net") prove_net(argv[2], argv[3], argv[4]);
        else print_disk(argv[2], argv[3]);
        return 0;
    } catch (const std::exception& error) {
        std::printf("CM_PROOF %s error=\"%s\"\n", what.c_str(), error.what());
        return 1;
    }
}
