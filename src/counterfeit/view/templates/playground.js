// The playground: what is chosen, what is to be seen, and the pace. The server plays the game; this
// asks for its next steps when the last ones have been drawn, and not while the page is hidden.
const FRAMES_PER_SECOND = 8;
const BARS = 48, MOST_DABS = 2000, BRUSH = 0.04;
const FORMULAS = {
  "non-saturating": ["−½ E[log D(x)] − ½ E[log(1 − D(G(z)))]", "−E[log D(G(z))]", "p_data / (p_data + p_g)", "1406.2661"],
  minimax: ["−½ E[log D(x)] − ½ E[log(1 − D(G(z)))]", "E[log(1 − D(G(z)))]", "p_data / (p_data + p_g)", "1406.2661"],
  "least-squares": ["½ E[(f(x) − 1)²] + ½ E[f(G(z))²]", "½ E[(f(G(z)) − 1)²]", "p_data / (p_data + p_g)", "1611.04076"],
  wasserstein: ["E[f(G(z))] − E[f(x)]", "−E[f(G(z))]", "f′(x) = sign(F_g(x) − F_data(x))", "1701.07875"],
  hinge: ["E[max(0, 1 − f(x))] + E[max(0, 1 + f(G(z)))]", "−E[f(G(z))]", "sign(p_data − p_g)", "1705.02894"],
  relativistic: ["E[log(1 + exp(f(G(z)) − f(x)))]", "E[log(1 + exp(f(x) − f(G(z))))]", "log(p_data / p_g)", "1807.00734"],
};
const PENALTIES = {
  gradient: ["E[(|∇f(x̂)| − 1)²]", "1704.00028"], r1: ["½ E[|∇f(x)|²]", "1801.04406"], r2: ["½ E[|∇f(G(z))|²]", "1801.04406"],
  "r1+r2": ["½ E[|∇f(x)|²] + ½ E[|∇f(G(z))|²]", "2501.05441"],
};
const RATES = { adam: [3e-4, 1e-3], adamw: [3e-4, 1e-3], sgd: [0.03, 0.1] };

export default {
  template: `
    <div class="playground">
      <h1>{{ words.title }}</h1>
      <p class="lead">{{ words.lead }}</p>
      <form class="choices" :aria-label="words.choices" @submit.prevent @change="begin">
        <label>{{ words.distribution }}
          <select v-model="choices.distribution">
            <optgroup :label="words.line"><option v-for="each in lines" :key="each[0]" :value="each[0]">{{ each[1] }}</option></optgroup>
            <optgroup :label="words.plane"><option v-for="each in planes" :key="each[0]" :value="each[0]">{{ each[1] }}</option></optgroup>
          </select></label>
        <label>{{ words.loss }}
          <select v-model="choices.loss"><option v-for="each in losses" :key="each" :value="each">{{ each }}</option></select></label>
        <label>{{ words.penalty }}
          <select v-model="choices.penalty"><option value="none">{{ words.none }}</option><option v-for="each in penalties" :key="each" :value="each">{{ each }}</option></select></label>
        <label v-if="choices.penalty !== 'none'">{{ words.weight }}
          <input type="number" min="0" max="1000" step="any" v-model.number="choices.weight"></label>
        <label>{{ words.optimizer }}
          <select v-model="choices.optimizer" @change="usualRates"><option v-for="each in optimizers" :key="each" :value="each">{{ each }}</option></select></label>
        <label>{{ words.dRate }} <input type="number" min="0" max="10" step="any" v-model.number="choices.d_rate"></label>
        <label>{{ words.gRate }} <input type="number" min="0" max="10" step="any" v-model.number="choices.g_rate"></label>
        <label>{{ words.dSteps }} <input type="number" min="1" max="10" step="1" v-model.number="choices.discriminator_steps"></label>
        <label>{{ words.seed }} <input type="number" min="0" max="2147483647" step="1" v-model.number="choices.seed"></label>
      </form>
      <div v-if="drawn" class="sketching">
        <canvas ref="sketch" tabindex="0" role="application" :aria-label="words.sketch" @pointerdown="press" @pointermove="drag" @pointerup="release" @pointercancel="release" @keydown="key" @focus="draw" @blur="draw"></canvas>
        <div><p class="quiet">{{ drawn.dim === 1 ? words.how1 : words.how2 }}</p>
        <button type="button" @click="clear">{{ words.clear }}</button></div>
      </div>
      <div class="player paces">
        <button type="button" :disabled="!ready || running" @click="ask({ steps: 1 })">{{ words.step }}</button>
        <button type="button" :disabled="!ready" @click="toggle">{{ running ? words.pause : words.run }}</button>
        <button type="button" @click="begin">{{ words.reset }}</button>
        <label>{{ words.speed }}
          <select v-model.number="speed"><option v-for="each in speeds" :key="each" :value="each">{{ each }}</option></select></label>
        <span class="count">{{ words.updates }} <output>{{ seen ? seen.updates.toLocaleString() : "" }}</output></span>
      </div>
      <p v-if="error" class="message" role="alert">{{ error }}</p>
      <p v-else-if="!seen" class="message" role="status">{{ words.wait }}</p>
      <div v-if="seen" class="views" :class="{ one: seen.dim === 1 }">
        <figure v-if="seen.dim === 1">
          <canvas ref="line" role="img" :aria-label="words.lineAlt"></canvas>
          <figcaption class="keys">
            <span><i class="stroke data"></i>p_data</span><span><i class="stroke made"></i>p_g</span><span><i class="stroke said"></i>{{ saidName }}</span>
            <span v-if="seen.optimal"><i class="stroke best"></i>{{ bestName }}</span><span>→ {{ words.arrows }}</span>
          </figcaption>
        </figure>
        <template v-else>
          <figure>
            <figcaption><strong>{{ saidName }}</strong> {{ words.arrowsOn }}</figcaption>
            <canvas ref="said" role="img" :aria-label="words.saidAlt"></canvas>
          </figure>
          <figure>
            <figcaption><strong>{{ bestName }}</strong> {{ seen.optimal ? words.best : words.unknown }}</figcaption>
            <canvas ref="optimal" role="img" :aria-label="words.bestAlt"></canvas>
          </figure>
          <p class="keys wide"><span><i class="cross">+</i>{{ words.real }}</span><span><i class="dot"></i>{{ words.fake }}</span><span>→ {{ words.arrows }}</span>
            <span class="scale">{{ low }}<i class="ramp"></i>{{ high }}</span><span v-if="seen.optimal"><i class="none"></i>{{ words.nowhere }}</span></p>
        </template>
      </div>
      <div v-if="seen" class="said-here">
        <section>
          <h2>{{ words.seen }}</h2>
          <ul class="told"><li v-for="each in seen.told" :key="each">{{ each }}</li></ul>
        </section>
        <section>
          <h2>{{ words.findings }}</h2>
          <p v-if="!seen.findings.length">{{ seen.updates < 300 ? words.early : words.nothing }}</p>
          <article v-for="each in seen.findings" :key="each.title" class="standing" :class="each.severity">
            <h3>{{ each.title }} <span class="quiet">({{ each.said_severity }}, {{ each.span }})</span></h3>
            <p v-html="each.meaning"></p><p v-html="each.advice"></p>
          </article>
          <p class="quiet">{{ words.epoch }}</p>
        </section>
        <section>
          <h2>{{ words.formulas }}</h2>
          <dl>
            <dt>{{ words.dMinimises }}</dt><dd><code>{{ formulas[0] }}</code><template v-if="penalty"> + {{ choices.weight }} · <code>{{ penalty[0] }}</code> (<a target="_blank" rel="noreferrer" :href="'https://arxiv.org/abs/' + penalty[1]">arXiv {{ penalty[1] }}</a>)</template></dd>
            <dt>{{ words.gMinimises }}</dt><dd><code>{{ formulas[1] }}</code></dd>
            <dt>{{ words.bestD }}</dt><dd><code>{{ formulas[2] }}</code></dd>
          </dl>
          <p>{{ words.source }} <a target="_blank" rel="noreferrer" :href="'https://arxiv.org/abs/' + formulas[3]">arXiv {{ formulas[3] }}</a></p>
          <p class="quiet">{{ words.blur }}</p>
        </section>
      </div>
    </div>`,
  data() {
    return {
      choices: { distribution: "two", loss: "non-saturating", penalty: "none", weight: 0.1, optimizer: "adam", d_rate: 1e-3, g_rate: 3e-4, discriminator_steps: 1, seed: 0 },
      speed: 100, speeds: [1, 10, 30, 100, 300, 500], seen: null, running: false, waiting: false, ready: false, error: "",
      later: null, drawn: null, cursor: [0, 0], pressed: false,
      losses: Object.keys(FORMULAS), penalties: Object.keys(PENALTIES), optimizers: Object.keys(RATES),
      lines: [["gaussian", tr("one Gaussian")], ["two", tr("two Gaussians")], ["four", tr("four Gaussians")], ["uneven", tr("a wide and a narrow one")], ["sketch-1", tr("a sketch of yours")]],
      planes: [["ring", tr("a ring of 8")], ["grid", tr("a grid of 25")], ["sketch-2", tr("a sketch of yours")]],
      words: {
        title: tr("See the theory"), lead: tr("A generator and a discriminator play on a line or in the plane, step by step as in training; nothing else is drawn than what they do. Any change begins a new game."),
        choices: tr("What is played"), distribution: tr("Distribution"), line: tr("On a line"), plane: tr("In the plane"), loss: tr("Loss"), penalty: tr("Penalty on D"), none: tr("none"), weight: tr("Its weight"),
        optimizer: tr("Optimiser"), dRate: tr("Learning rate of D"), gRate: tr("Learning rate of G"), dSteps: tr("D steps per G step"), seed: tr("Seed"),
        step: tr("Step"), run: tr("Run"), pause: tr("Pause"), reset: tr("Begin anew"), speed: tr("Updates per second"), updates: tr("Updates"), clear: tr("Clear"),
        sketch: tr("Your distribution"), how1: tr("Draw how probable each place is; or with the arrow keys, left and right to a place and up and down to its height."), how2: tr("Draw where the data shall lie; or with the keyboard, the arrow keys to a place and space for a dab."),
        arrows: tr("where G's loss pushes its points"), arrowsOn: tr("what D says, and where G's loss pushes its points"), best: tr("what the best D would say against this G"), unknown: tr("has no closed form in the plane"),
        real: tr("data"), fake: tr("made by G"), nowhere: tr("next to no points"),
        lineAlt: tr("The densities of data and generated points, D and its optimum over x, and lines from latents z to points x. The text below says what is seen."), saidAlt: tr("What D says over the plane, with real and generated points. The text below says what is seen."), bestAlt: tr("What the best D would say over the plane. The text below says what is seen."),
        wait: tr("The first state of the game is being computed …"),
        seen: tr("What is seen"), findings: tr("Diagnosis"), early: tr("Too early to say anything."), nothing: tr("Nothing is wrong so far."), epoch: tr("An epoch is 100 updates here, and an image is a point: a pixel for each coordinate."),
        formulas: tr("Formulas"), dMinimises: tr("D minimises"), gMinimises: tr("G minimises"), bestD: tr("The best D"), source: tr("Source:"), blur: tr("Both densities are drawn with the same small blur, as p_g is known by points alone; D* is that of what is drawn."),
      },
    };
  },
  computed: {
    formulas() { return FORMULAS[this.choices.loss]; },
    penalty() { return PENALTIES[this.choices.penalty]; },
    saidName() { return this.seen?.probabilistic ? "D(x)" : "f(x)"; },
    bestName() { return this.seen?.probabilistic ? "D*(x)" : "f*(x)"; },
    low() { return Number(this.seen.range[0].toPrecision(2)); },
    high() { return Number(this.seen.range[1].toPrecision(2)); },
  },
  mounted() {
    this.redraw = () => requestAnimationFrame(this.draw);
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.theme.addEventListener("change", this.redraw);
    addEventListener("resize", this.redraw);
    this.looked = () => { if (!document.hidden) this.next(); };
    document.addEventListener("visibilitychange", this.looked);
    this.begin();
  },
  unmounted() {
    this.running = false;
    this.theme.removeEventListener("change", this.redraw);
    removeEventListener("resize", this.redraw);
    document.removeEventListener("visibilitychange", this.looked);
  },
  methods: {
    usualRates() { [this.choices.g_rate, this.choices.d_rate] = RATES[this.choices.optimizer]; },
    // A new game of what is chosen.
    begin() {
      this.running = false;
      const dim = { "sketch-1": 1, "sketch-2": 2 }[this.choices.distribution];
      if (dim && this.drawn?.dim !== dim) this.drawn = this.blank(dim);
      if (!dim) this.drawn = null;
      this.ask({ choices: this.chosen() });
    },
    chosen() {
      if (!this.drawn) return { ...this.choices };
      const drawn = this.drawn.dim === 1
        ? { dabs: this.drawn.heights.map((_, at) => [2 * (at + 0.5) / BARS - 1]), heights: [...this.drawn.heights] }
        : { dabs: this.drawn.dabs.map(each => [...each]) };
      return { ...this.choices, distribution: "sketch", ...drawn };
    },
    // One question at a time; what is wanted meanwhile is asked next, a new game before a step.
    ask(question) {
      if (this.waiting) { this.later = question.choices ? question : this.later ?? question; return; }
      this.waiting = true;
      this.asked = performance.now();
      this.$emit("ask", question);
    },
    answer(picture) {
      this.waiting = false;
      const later = this.later;
      this.later = null;
      if (later?.choices || (later && !picture.error)) return this.ask(later);
      this.error = picture.error ?? "";
      this.ready = !picture.error && !picture.stopped;
      if (!this.ready) this.running = false;
      if (!picture.error) this.seen = Object.freeze(picture);
      this.$nextTick(() => { this.draw(); this.next(); });
    },
    next() {
      clearTimeout(this.timer);
      if (!this.running || this.waiting || document.hidden) return;
      const steps = Math.max(1, Math.round(this.speed / FRAMES_PER_SECOND));
      this.timer = setTimeout(() => { if (this.running) this.ask({ steps }); }, Math.max(0, 1000 * steps / this.speed - (performance.now() - this.asked)));
    },
    toggle() {
      this.running = !this.running;
      this.next();
    },
    draw() {
      const { seen } = this;
      if (this.drawn && this.$refs.sketch) playgroundDrawing.sketch(this.$refs.sketch, this.drawn, this.cursor, document.activeElement === this.$refs.sketch);
      if (!seen) return;
      if (seen.dim === 1 && this.$refs.line) playgroundDrawing.line(this.$refs.line, seen);
      if (seen.dim === 2 && this.$refs.said) {
        playgroundDrawing.plane(this.$refs.said, seen, seen.said, true);
        playgroundDrawing.plane(this.$refs.optimal, seen, seen.optimal, false);
      }
    },
    blank(dim) { // something to begin with: a slope, or a diagonal
      const evenly = Array.from({ length: BARS }, (_, at) => at / (BARS - 1));
      return dim === 1 ? { dim, heights: evenly.map(each => each / 2) } : { dim, dabs: evenly.map(each => [1.4 * each - 0.7, 1.4 * each - 0.7]) };
    },
    clear() {
      this.drawn = this.drawn.dim === 1 ? { dim: 1, heights: Array(BARS).fill(0) } : { dim: 2, dabs: [] };
      this.running = this.ready = false;
      this.$nextTick(this.draw);
    },
    where(event) {
      const box = this.$refs.sketch.getBoundingClientRect(), inside = value => Math.max(-1, Math.min(1, value));
      return [inside(2 * (event.clientX - box.left) / box.width - 1), inside(1 - 2 * (event.clientY - box.top) / box.height)];
    },
    press(event) {
      this.$refs.sketch.setPointerCapture(event.pointerId);
      this.pressed = true;
      this.cursor = this.where(event);
      this.dab(this.cursor);
    },
    drag(event) {
      if (!this.pressed) return;
      const from = this.cursor, to = this.where(event), steps = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / BRUSH);
      for (let step = 1; step <= steps; step++) this.dab(from.map((value, at) => value + (to[at] - value) * step / steps));
      this.cursor = to;
    },
    release() {
      if (!this.pressed) return;
      this.pressed = false;
      this.begin();
    },
    dab([x, y]) {
      if (this.drawn.dim === 1) this.drawn.heights[Math.min(BARS - 1, Math.floor((x + 1) / 2 * BARS))] = (y + 1) / 2;
      else if (this.drawn.dabs.length < MOST_DABS) this.drawn.dabs.push([x, y]);
      this.draw();
    },
    key(event) {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step && event.key !== " ") return;
      event.preventDefault();
      const wide = this.drawn.dim === 1 ? 2 / BARS : 0.05;
      if (step) this.cursor = [this.cursor[0] + wide * step[0], this.cursor[1] + 0.05 * step[1]].map(value => Math.max(-0.999, Math.min(0.999, value)));
      if (event.key === " " || (this.drawn.dim === 1 && step[1])) {
        this.dab(this.cursor);
        this.begin();
      }
      this.draw();
    },
  },
};
