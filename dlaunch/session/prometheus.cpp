// SPDX-License-Identifier: Apache-2.0
// See prometheus.hpp.
#include "dlaunch/session/prometheus.hpp"

#include "dlaunch/session/live_report.hpp"
#include "dlaunch/session/operator_view.hpp"

#include <map>
#include <optional>
#include <vector>

namespace casemate::session {

using nlohmann::json;

namespace {

using Labels = std::vector<std::pair<const char*, std::string>>;

constexpr double per_second = 1000; // milliseconds
constexpr double micros_per_second = 1'000'000;
constexpr double bytes_of_mib = 1 << 20;

std::string escaped(const std::string& text) {
    std::string value;
    for (const char c : printable(text)) {
        if (c == '\\' || c == '"') value += '\\';
        value += c;
    }
    return value;
}

/// One metric with all its samples: the format wants them together.
class Metric {
public:
    Metric(const char* name, const char* type, const char* help) : name_{name} {
        heading_ = std::string{"# HELP "} + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    }
    /// `scale` units of the status are one of the metric.
    void add(const Labels& labels, const json& value, double scale = 1) {
        if (!value.is_number()) return;
        const json scaled = scale == 1 ? value : json(value.get<double>() / scale);
        samples_[label_text(labels)] =
            scaled.dump(); // two of the same labels would make the whole text invalid
    }
    [[nodiscard]] std::string text() const {
        if (samples_.empty()) return {};
        std::string all = heading_;
        for (const auto& [labels, value] : samples_) all += name_ + labels + " " + value + "\n";
        return all;
    }

private:
    static std::string label_text(const Labels& labels) {
        std::string text;
        for (const auto& [name, value] : labels)
            text += (text.empty() ? "{" : ",") + std::string{name} + "=\"" + escaped(value) + "\"";
        return text.empty() ? text : text + "}";
    }

    std::string name_;
    std::string heading_;
    std::map<std::string, std::string> samples_;
};

std::optional<std::string> text_member(const json& object, const char* key) {
    const json value = member(object, key);
    return value.is_string() ? std::optional{value.get<std::string>()} : std::nullopt;
}

Labels with(Labels labels, const char* name, const std::string& value) {
    labels.emplace_back(name, value);
    return labels;
}

/// 1 for the state that it is in, 0 for the others, so that a state that was left does not linger.
void add_states(Metric& metric, const Labels& labels, const json& object,
                std::initializer_list<const char*> states) {
    for (const char* state : states)
        metric.add(with(labels, "state", state), member(object, "state") == state ? 1 : 0);
}

/// A sample for each of an object's numbers.
void add_each(Metric& metric, const Labels& labels, const char* label, const json& counts) {
    if (!counts.is_object()) return;
    for (const auto& [name, count] : counts.items()) metric.add(with(labels, label, name), count);
}

std::string session_metrics(const json& status) {
    Metric uptime{"casemate_uptime_seconds", "gauge", "Time since the launch, by the hypervisor's clock."};
    Metric age{"casemate_report_age_seconds", "gauge", "Time since the agent's last report."};
    Metric affirmed{"casemate_verdict_affirming", "gauge", "1 if the verifier's last verdict is affirming."};
    uptime.add({}, member(status, "uptime_ms"), per_second);
    age.add({}, member(status, "report_age_ms"), per_second);
    if (const auto verdict = text_member(member(status, "agent"), "verdict"))
        affirmed.add({}, *verdict == "affirming" ? 1 : 0);
    return uptime.text() + age.text() + affirmed.text();
}

std::string vm_metrics(const json& vms) {
    Metric state{"casemate_vm_state", "gauge", "1 for the state that the VM is in."};
    Metric starts{"casemate_vm_starts_total", "counter", "Starts of the VM in this launch."};
    Metric exits{"casemate_vm_exits_total", "counter", "Exits of the VM to the hypervisor, by type."};
    Metric memory{"casemate_vm_memory_bytes", "gauge", "Memory of the VM."};
    Metric cpu{"casemate_vm_cpu_seconds_total", "counter",
               "Time that the VM used of its core, with the handling of its exits, in this launch."};
    for (const json& vm : vms) {
        const auto name = text_member(vm, "name");
        if (!name) continue;
        add_states(state, {{"vm", *name}}, vm, {"defined", "running", "stopped"});
        starts.add({{"vm", *name}}, member(vm, "starts"));
        cpu.add({{"vm", *name}}, member(vm, "cpu_us"), micros_per_second);
        memory.add({{"vm", *name}}, member(vm, "memory_mib"), 1 / bytes_of_mib);
        add_each(exits, {{"vm", *name}}, "type", member(vm, "exits"));
    }
    return state.text() + starts.text() + exits.text() + memory.text() + cpu.text();
}

std::string device_metrics(const json& devices) {
    Metric state{"casemate_device_state", "gauge", "1 for the state of custody that the device is in."};
    Metric holder{"casemate_device_holder", "gauge", "1 for the VM that holds the device or is to get it."};
    Metric lease{"casemate_device_lease_seconds", "gauge",
                 "What is left of the device's lease; 0 without one."};
    for (const json& device : devices) {
        const auto location = text_member(device, "location");
        if (!location) continue;
        add_states(state, {{"device", *location}}, device,
                   {"quarantined", "resetting", "assigned", "draining", "waiting"});
        if (const auto vm = text_member(device, "holder"))
            holder.add({{"device", *location}, {"vm", *vm}}, 1);
        lease.add({{"device", *location}}, member(device, "lease_ms_left"), per_second);
    }
    return state.text() + holder.text() + lease.text();
}

std::string link_metrics(const json& ends) {
    Metric state{"casemate_link_state", "gauge", "1 for the state of the VM's end of the link."};
    Metric packets{"casemate_link_sent_packets_total", "counter", "Packets that the VM's peer got from it."};
    Metric bytes{"casemate_link_sent_bytes_total", "counter",
                 "Bytes of these packets, from the Ethernet header on."};
    Metric drops{"casemate_link_dropped_packets_total", "counter",
                 "Packets of the VM that were dropped, by reason."};
    Metric notifications{"casemate_link_notifications_total", "counter", "Notifications by the VM's driver."};
    Metric interrupts{"casemate_link_interrupts_total", "counter", "Interrupts of the VM for its queues."};
    for (const json& end : ends) {
        const auto vm = text_member(end, "vm"), peer = text_member(end, "peer");
        if (!vm || !peer) continue;
        const Labels labels{{"vm", *vm}, {"peer", *peer}};
        const json counts = member(end, "counts");
        add_states(state, labels, end, {"down", "up", "refused"});
        packets.add(labels, member(counts, "packets"));
        bytes.add(labels, member(counts, "bytes"));
        add_each(drops, labels, "reason", member(end, "drops"));
        notifications.add(labels, member(counts, "notifications"));
        interrupts.add(labels, member(counts, "interrupts"));
    }
    return state.text() + packets.text() + bytes.text() + drops.text() + notifications.text() +
           interrupts.text();
}

} // namespace

std::string prometheus_text(const json& status) {
    return session_metrics(status) + vm_metrics(array_member(status, "vms")) +
           device_metrics(array_member(status, "devices")) + link_metrics(array_member(status, "link_ends"));
}

} // namespace casemate::session
