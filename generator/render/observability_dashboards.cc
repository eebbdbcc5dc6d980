#include <algorithm>

#include "generator/render/observability.h"

namespace caisson::render {

namespace {

constexpr std::int64_t columns = 24;

Node datasource() {
  Node node{Node::Map{}};
  node.add("type", "prometheus");
  node.add("uid", "caisson");
  return node;
}

std::string text_of(const Node& node, std::string_view key, std::string_view otherwise = {}) {
  const auto* found = node.find(key);
  return found == nullptr || found->text() == nullptr ? std::string(otherwise) : *found->text();
}

std::int64_t number_of(const Node& node, std::string_view key, std::int64_t otherwise) {
  const auto* found = node.find(key);
  const auto* number = found == nullptr ? nullptr : std::get_if<std::int64_t>(&found->value());
  return number == nullptr ? otherwise : *number;
}

/// Panels from left to right, line by line.
class Grid {
 public:
  Node place(std::int64_t width, std::int64_t height) {
    if (x_ + width > columns) {
      x_ = 0;
      y_ += line_;
      line_ = 0;
    }
    Node node{Node::Map{}};
    node.add("h", height);
    node.add("w", width);
    node.add("x", x_);
    node.add("y", y_);
    x_ += width;
    line_ = std::max(line_, height);
    return node;
  }

 private:
  std::int64_t x_ = 0;
  std::int64_t y_ = 0;
  std::int64_t line_ = 0;
};

Node target(const Node& query, char id, bool table) {
  Node node{Node::Map{}, query.origin()};
  node.add("refId", std::string(1, id));
  node.add("datasource", datasource());
  node.add("expr", *query.find("query"));
  if (const auto* legend = query.find("legend")) node.add("legendFormat", *legend);
  node.add("instant", table);
  node.add("range", !table);
  if (table) node.add("format", "table");
  return node;
}

Node targets(const Node& panel, bool table) {
  Node list{Node::List{}, panel.origin()};
  char id = 'A';
  if (const auto* queries = panel.find("queries")) {
    for (const auto& query : *queries->list()) list.push(target(query, id++, table));
  } else {
    list.push(target(panel, id, table));
  }
  return list;
}

Node field_config(const Node& panel, const std::string& kind) {
  Node defaults{Node::Map{}};
  defaults.add("unit", panel.find("unit") == nullptr ? Node{"none"} : *panel.find("unit"));
  if (const auto* decimals = panel.find("decimals")) defaults.add("decimals", *decimals);
  if (kind == "timeseries") {
    Node custom{Node::Map{}};
    custom.add("fillOpacity", 10);
    custom.add("showPoints", "never");
    if (const auto* stack = panel.find("stack"); stack != nullptr) {
      Node stacking{Node::Map{}, stack->origin()};
      stacking.add("mode", {"normal", stack->origin()});
      custom.add("stacking", std::move(stacking));
    }
    defaults.add("custom", std::move(custom));
  }
  Node node{Node::Map{}};
  node.add("defaults", std::move(defaults));
  node.add("overrides", Node{Node::List{}});
  return node;
}

Node options(const std::string& kind) {
  Node node{Node::Map{}};
  if (kind == "stat") {
    Node reduce{Node::Map{}};
    reduce.add("calcs", Node{Node::List{"lastNotNull"}});
    node.add("reduceOptions", std::move(reduce));
  } else if (kind == "timeseries") {
    Node tooltip{Node::Map{}};
    tooltip.add("mode", "multi");
    tooltip.add("sort", "desc");
    node.add("tooltip", std::move(tooltip));
  }
  return node;
}

Node panel(const Node& from, std::int64_t id, Grid& grid) {
  const auto kind = text_of(from, "kind", "timeseries");
  Node node{Node::Map{}, from.origin()};
  node.add("id", id);
  node.add("type", kind);
  node.add("title", *from.find("title"));
  if (const auto* text = from.find("text")) node.add("description", *text);
  node.add("datasource", datasource());
  node.add("gridPos", grid.place(number_of(from, "width", 12), number_of(from, "height", 8)));
  node.add("fieldConfig", field_config(from, kind));
  node.add("options", options(kind));
  node.add("targets", targets(from, kind == "table"));
  return node;
}

/// What the dashboard is about, at its top.
Node introduction(const Node& text, Grid& grid) {
  Node content{Node::Map{}, text.origin()};
  content.add("mode", "markdown");
  content.add("content", text);
  Node node{Node::Map{}, text.origin()};
  node.add("id", 1);
  node.add("type", "text");
  node.add("title", "");
  node.add("transparent", true);
  node.add("gridPos", grid.place(columns, 2));
  node.add("options", std::move(content));
  return node;
}

Node variable(const Node& from) {
  Node node{Node::Map{}, from.origin()};
  node.add("name", *from.find("name"));
  node.add("type", "query");
  node.add("datasource", datasource());
  Node query{Node::Map{}, from.origin()};
  query.add("query", *from.find("query"));
  query.add("refId", *from.find("name"));
  node.add("query", std::move(query));
  node.add("refresh", 2);  // when the time range changes
  node.add("sort", 1);
  node.add("multi", false);
  node.add("includeAll", true);
  node.add("allValue", ".+");
  return node;
}

}  // namespace

Node grafana_dashboard(const plan::Plan& plan, std::string_view name, const Node& from) {
  Node node{Node::Map{}, from.origin()};
  node.add("uid", "caisson-" + std::string(name));
  node.add("title", {plan.name.value + ": " + text_of(from, "title"), plan.name.origin});
  node.add("tags", Node{Node::List{"caisson"}});
  node.add("schemaVersion", 39);
  node.add("version", 1);
  node.add("editable", false);
  node.add("timezone", "browser");
  node.add("refresh", "30s");
  Node time{Node::Map{}};
  time.add("from", "now-3h");
  time.add("to", "now");
  node.add("time", std::move(time));
  Node annotations{Node::Map{}};
  annotations.add("list", Node{Node::List{}});
  node.add("annotations", std::move(annotations));
  Node link{Node::Map{}};
  link.add("type", "dashboards");
  link.add("title", "Caisson");
  link.add("tags", Node{Node::List{"caisson"}});
  link.add("asDropdown", true);
  link.add("keepTime", true);
  node.add("links", Node{Node::List{std::move(link)}});
  Node variables{Node::List{}};
  if (const auto* wanted = from.find("variable")) variables.push(variable(*wanted));
  Node templating{Node::Map{}};
  templating.add("list", std::move(variables));
  node.add("templating", std::move(templating));

  Grid grid;
  Node panels{Node::List{}};
  panels.push(introduction(*from.find("text"), grid));
  std::int64_t id = 2;
  for (const auto& wanted : *from.find("panels")->list()) panels.push(panel(wanted, id++, grid));
  node.add("panels", std::move(panels));
  return node;
}

}  // namespace caisson::render
