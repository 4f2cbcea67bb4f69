// Charts over epochs of one run or more, fetched anew when there is more to show, and drawn as the
// report draws them (plot.js). They share the epoch that is pointed at, and lead the film.
export default {
  template: `
    <div>
      <section v-for="section in sections" :key="section.name" :id="section.name" class="figures">
        <h2>{{ section.title }}</h2>
        <p class="caption">{{ section.caption }}</p>
        <div class="legend" role="group" :aria-label="section.lines">
          <button v-for="line in section.legend" :key="line.key" type="button" :aria-pressed="!off.has(line.key)" @click="toggle(line.key)"><i class="swatch" :style="{ '--swatch': 'var(--' + line.colour + ')' }"></i>{{ line.name }}</button>
        </div>
        <div class="charts">
          <div v-for="chart in section.charts" :key="keyOf(section, chart)">
            <h3>{{ chart.title }} <span v-if="chart.protocol" class="quiet">({{ chart.protocol }})</span></h3>
            <div class="curve" :data-chart="keyOf(section, chart)" tabindex="0" role="slider" :aria-label="chart.label" aria-valuenow="0"></div>
            <p class="told"></p>
          </div>
        </div>
        <p v-if="section.charts[0].marks.length" class="remarks" :data-section="section.name"></p>
      </section>
    </div>`,
  props: { source: String, version: String },
  data() { return { sections: [], off: new Set() }; },
  created() { this.drawn = new Map(); this.epochs = [0, 1]; this.chosen = null; },
  mounted() {
    this.shown = ({ detail: epoch }) => { this.chosen = epoch; this.point(epoch); };
    document.addEventListener("shown", this.shown);
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.drawn.forEach(({ plot }) => plot.redraw(false));
    this.theme.addEventListener("change", this.redraw);
    this.load();
  },
  unmounted() {
    document.removeEventListener("shown", this.shown);
    this.theme.removeEventListener("change", this.redraw);
    this.drawn.forEach(({ plot }) => plot.destroy());
  },
  watch: { version() { this.load(); } },
  methods: {
    keyOf(section, chart) { return `${section.name} ${chart.title} ${chart.protocol}`; },
    async load() {
      const answer = await fetch(this.source).catch(() => null); // a server that is gone comes back, or says so
      if (!answer?.ok) return;
      const sections = await answer.json();
      this.sections = sections.map(section => Vue.markRaw(section));
      await Vue.nextTick();
      this.draw();
    },
    draw() {
      const charts = this.sections.flatMap(section => section.charts.map(chart => [this.keyOf(section, chart), chart]));
      const there = new Set(charts.map(([key]) => key)), off = Vue.toRaw(this.off);
      if (charts.length) this.epochs = drawing.span(charts.map(([, chart]) => chart));
      for (const [key, { plot }] of [...this.drawn]) if (!there.has(key)) { plot.destroy(); this.drawn.delete(key); }
      for (const [key, chart] of charts) {
        const before = this.drawn.get(key);
        if (before && shape(before.chart) === shape(chart)) {
          Object.assign(before.chart, chart);
          before.plot.setData(drawing.data(chart));
          continue;
        }
        before?.plot.destroy();
        const box = this.$el.querySelector(`[data-chart="${CSS.escape(key)}"]`);
        const own = { ...chart };
        const each = { chart: own, box, told: box.nextElementSibling, plot: drawing.make(own, box, () => this.epochs, off) };
        this.drawn.set(key, each);
        drawing.choose(each, off);
        drawing.lead(each, this.point, () => this.point(this.epoch()), epoch => document.dispatchEvent(new CustomEvent("wanted", { detail: epoch })));
      }
      for (const { box } of this.drawn.values()) {
        box.setAttribute("aria-valuemin", this.epochs[0]);
        box.setAttribute("aria-valuemax", this.epochs[1]);
      }
      this.point(this.epoch());
    },
    epoch() { return this.chosen ?? drawing.shown ?? this.epochs[1]; },
    point(epoch) {
      const off = Vue.toRaw(this.off);
      this.drawn.forEach(each => drawing.tell(each, epoch, off));
      for (const said of this.$el.querySelectorAll(".remarks")) {
        const section = this.sections.find(({ name }) => name === said.dataset.section);
        drawing.remark(said, section.charts[0].marks, epoch, off);
      }
    },
    toggle(key) {
      if (this.off.has(key)) this.off.delete(key);
      else this.off.add(key);
      this.drawn.forEach(each => drawing.choose(each, Vue.toRaw(this.off)));
      this.point(this.epoch());
    },
  },
};

// What a chart that is drawn cannot change: its lines, which of them have bands, and its levels.
const shape = ({ lines, levels, marks }) => JSON.stringify([
  lines.map(({ key, name, low }) => [key, name, !!low]), levels.map(({ name }) => name), marks.length]);
