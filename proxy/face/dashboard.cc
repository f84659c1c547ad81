#include "proxy/face/admin.h"

namespace zap {

std::string_view dashboard_html() {
  return R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>zap-sidecar</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 54rem; padding: 0 1rem }
  h1 { font-size: 1.3rem }
  table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
  th, td { border-bottom: 1px solid #8885; padding: .3rem .6rem; text-align: left }
  td.number { font-variant-numeric: tabular-nums }
  .normal { color: #17803d } .unreachable { color: #b91c1c } .other { color: #b45309 }
  @media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } }
</style>
<h1 id="title">zap-sidecar</h1>
<p id="summary">asking...</p>
<table><thead><tr><th>node<th>address<th>state<th>commit index</thead><tbody id="nodes"></tbody></table>
<table><thead><tr><th>application<th>state<th>applied index</thead><tbody id="apps"></tbody></table>
<p><a href="/status">status</a> <a href="/readyz">readiness</a> <a href="/metrics">metrics</a></p>
<script>
  const byId = id => document.getElementById(id);
  const colour = state => ['normal', 'ok'].includes(state) ? 'normal'
                        : state === 'unreachable' ? 'unreachable' : 'other';
  function row(cells) {
    const line = document.createElement('tr');
    for (const [text, style] of cells) {
      const cell = line.insertCell();
      cell.textContent = text ?? '';
      cell.className = style ?? '';
    }
    return line;
  }
  async function refresh() {
    try {
      const status = await (await fetch('/status')).json();
      byId('title').textContent = `${status.node_id} of cluster ${status.cluster.slice(0, 8)}`;
      byId('summary').textContent = `${status.state}; leader ${status.leader ?? 'unknown'}, ` +
          `term ${status.term}; committed ${status.commit_index}, applied ${status.applied_index}; ` +
          `${status.protocol}, version ${status.version}`;
      byId('nodes').replaceChildren(...status.nodes.map(node => row([
        [node.id === status.leader ? `${node.id} (leader)` : node.id], [node.address],
        [node.state, colour(node.state)], [node.commit_index, 'number']])));
      byId('apps').replaceChildren(...status.apps.map(app => row([
        [app.address], [app.state, colour(app.state)], [app.applied_index, 'number']])));
    } catch (error) {
      byId('summary').textContent = `this node does not answer: ${error.message}`;
    }
    setTimeout(refresh, 1000);
  }
  refresh();
</script>
</html>
)html";
}

}  // namespace zap
