// SPDX-License-Identifier: Apache-2.0
// cm-probe: the traffic proofs of the driver VMs, one machine-readable line each, and the measurements of `casemate bench`.
//   cm-probe net OWN_ADDRESS PEER_ADDRESS MEGABYTES [SEED]     downloads from port 7001, uploads to port 7002
//   cm-probe disk DEVICE MEGABYTES [SEED]
//   cm-probe canary MEGABYTES                                  drivervms/probe/canary.hpp
//   cm-probe secret DIRECTORY SECONDS                          drivervms/probe/secret.hpp
//   cm-probe reseed                                            drivervms/probe/reseed.hpp
//   cm-probe bench-net QUIET_SECONDS PLAN INTERFACE PEER_ADDRESS PORT
//   cm-probe bench-disk QUIET_SECONDS PLAN DEVICE
// The proof line of a run that failed is `CM_PROOF <what> error="..."`, and the exit status 1.
#include "drivervms/probe/bench.hpp"
#include "drivervms/probe/canary.hpp"
#include "drivervms/probe/disk_probe.hpp"
#include "drivervms/probe/net_probe.hpp"
#include "drivervms/probe/reseed.hpp"
#include "drivervms/probe/secret.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

using namespace casemate::probe;

namespace {

constexpr std::uint16_t download_port = 7001;
constexpr std::uint16_t upload_port = 7002;
constexpr const char* upload_seed = "2";
constexpr const char* disk_seed = "3";
constexpr std::uint64_t canary_seed = 4;

std::uint64_t mebibytes(const char* text) { return std::strtoull(text, nullptr, 10) << 20; }

unsigned number(const char* text) { return static_cast<unsigned>(std::strtoul(text, nullptr, 10)); }

void prove_net(const char* own, const char* peer, const char* size, const char* seed) {
    const Transfer rx = download(peer, download_port);
    const Transfer tx = upload(peer, upload_port, mebibytes(size), number(seed));
    std::printf("CM_PROOF net address=%s rx_bytes=%llu rx_sha256=%s tx_bytes=%llu tx_sha256=%s rx_seconds=%.3f "
                "tx_seconds=%.3f\n",
                own, static_cast<unsigned long long>(rx.bytes), rx.sha256.c_str(),
                static_cast<unsigned long long>(tx.bytes), tx.sha256.c_str(), rx.seconds, tx.seconds);
}

void print_disk(const char* device, const char* size, const char* seed) {
    const DiskProof proof = prove_disk(device, mebibytes(size), number(seed));
    std::printf("CM_PROOF disk bytes=%llu write_sha256=%s read_sha256=%s write_seconds=%.3f read_seconds=%.3f\n",
                static_cast<unsigned long long>(proof.bytes), proof.write_sha256.c_str(),
                proof.read_sha256.c_str(), proof.write_seconds, proof.read_seconds);
}

void bench_net(char** arguments) {
    run_plan(net_measurements(arguments[2], arguments[3], static_cast<std::uint16_t>(number(arguments[4]))), arguments[1],
             number(arguments[0]));
}

void bench_disk(char** arguments) { run_plan(disk_measurements(arguments[2]), arguments[1], number(arguments[0])); }

struct Job {
    const char* name;
    int arguments;
    void (*run)(char** arguments);
};

constexpr Job jobs[] = {{"net", 3, [](char** a) { prove_net(a[0], a[1], a[2], upload_seed); }},
                        {"net", 4, [](char** a) { prove_net(a[0], a[1], a[2], a[3]); }},
                        {"disk", 2, [](char** a) { print_disk(a[0], a[1], disk_seed); }},
                        {"disk", 3, [](char** a) { print_disk(a[0], a[1], a[2]); }},
                        {"canary", 1, [](char** a) { keep_canary(mebibytes(a[0]), canary_seed); }},
                        {"secret", 2, [](char** a) { take_secret(a[0], number(a[1])); }},
                        {"reseed", 0, [](char**) { reseed(); }},
                        {"bench-net", 5, bench_net},
                        {"bench-disk", 3, bench_disk}};

int run(const Job& job, char** arguments) {
    try {
        job.run(arguments);
        return 0;
    } catch (const std::exception& error) {
        std::printf("CM_PROOF %s error=\"%s\"\n", job.name, error.what());
        return 1;
    }
}

} // namespace

int main(int argc, char** argv) {
    for (const Job& job : jobs)
        if (argc == job.arguments + 2 && std::string{argv[1]} == job.name) return run(job, argv + 2);
    std::fputs("usage: cm-probe net OWN_ADDRESS PEER_ADDRESS MEGABYTES [SEED] | disk DEVICE MEGABYTES [SEED] |\n"
               "       canary MEGABYTES | secret DIRECTORY SECONDS | reseed |\n"
               "       "
               "bench-net QUIET_SECONDS PLAN INTERFACE PEER_ADDRESS PORT | bench-disk QUIET_SECONDS PLAN DEVICE\n",
               stderr);
    return 2;
}
