// The images of the fixed latents of one run or more, epoch by epoch, and how many are of each class.
// Like the report's player it tells the document the epoch that it shows (the event "shown"), and goes
// to one that it is asked for ("wanted"). It follows the newest one until somebody goes back.
export default {
  template: `
    <div v-if="epochs.length">
      <div class="player">
        <button type="button" @click="toggle">{{ timer === null ? words.play : words.pause }}</button>
        <label :for="id">{{ words.epoch }} <output>{{ epoch }}</output></label>
        <input type="range" :id="id" min="0" :max="epochs.length - 1" step="1" :value="at" :aria-valuetext="valueText"
          @input="stop(); move(Number($event.target.value))" @keydown.space.prevent="toggle">
      </div>
      <div class="runs" :style="{ '--columns': Math.min(runs.length, 3) }">
        <div v-for="run in shown" :key="run.id" class="reel">
          <figure class="panel">
            <img class="pixels film" :src="run.image" :alt="run.alt" :width="run.width" :height="run.height" :style="{ '--width': run.width }">
            <figcaption><i v-if="runs.length > 1" class="swatch" :style="{ '--swatch': 'var(--' + run.colour + ')' }"></i><strong v-if="runs.length > 1">{{ run.name }}. </strong>{{ run.after }}</figcaption>
          </figure>
          <table v-if="run.balance" class="balance">
            <caption>{{ run.balance.title }}</caption>
            <thead class="aside"><tr><th scope="col">{{ words.class }}</th><th scope="col">{{ words.share }}</th></tr></thead>
            <tbody>
              <tr v-for="row in run.balance.rows" :key="row.label"><th scope="row">{{ row.label }}</th>
                <td><span class="bar" aria-hidden="true"><i :style="{ width: row.width }"></i><b v-if="row.data" :style="{ left: row.data }"></b></span>{{ row.share }}</td></tr>
            </tbody>
            <tfoot v-if="run.balance.marked"><tr><td colspan="2" class="quiet">{{ words.mark }}</td></tr></tfoot>
          </table>
        </div>
      </div>
    </div>`,
  props: { runs: Array },
  data() {
    return { at: 0, timer: null, id: `epoch-${Math.random().toString(36).slice(2)}`, words: {
      play: tr("Play"), pause: tr("Pause"), epoch: tr("epoch"), class: tr("class"), share: tr("share"), mark: tr("The upright mark is the data's share."),
    } };
  },
  computed: {
    epochs() { return [...new Set(this.runs.flatMap(run => run.epochs))].sort((a, b) => a - b); },
    epoch() { return this.epochs[Math.min(this.at, this.epochs.length - 1)]; },
    valueText() { return tr("epoch {epoch}", { epoch: this.epoch }); },
    shown() {
      return this.runs.filter(run => run.epochs.length).map(run => {
        const epoch = run.epochs[Math.max(0, run.epochs.findLastIndex(each => each <= this.epoch))];
        return {
          ...run, image: `${run.source}&epoch=${epoch}`, balance: this.balanceOf(run, epoch),
          alt: tr("{picture} after epoch {epoch}.", { picture: run.alt, epoch }),
          after: tr("After epoch {epoch}.", { epoch }),
        };
      });
    },
  },
  watch: {
    epochs(now, before) {
      if (this.at >= before.length - 1 || this.at >= now.length) this.move(now.length - 1); // it was the newest
    },
  },
  mounted() {
    this.wanted = ({ detail: epoch }) => {
      this.stop();
      const at = this.epochs.findIndex(each => each >= epoch);
      this.move(at < 0 ? this.epochs.length - 1 : at);
    };
    this.clicked = ({ target }) => {
      const link = target.closest?.("[data-epoch]");
      if (link) document.dispatchEvent(new CustomEvent("wanted", { detail: Number(link.dataset.epoch) }));
    };
    document.addEventListener("wanted", this.wanted);
    document.addEventListener("click", this.clicked);
    this.move(this.epochs.length - 1);
  },
  unmounted() { 
    document.removeEventListener("wanted", this.wanted);
    document.removeEventListener("click", this.clicked);
    this.stop();
  },
  methods: {
    balanceOf({ balance }, epoch) {
      const at = balance ? balance.epochs.findLastIndex(each => each <= epoch) : -1;
      if (at < 0) return null;
      const shares = balance.shares[at], most = Math.max(...shares, ...(balance.data ?? []), 0.01);
      return {
        title: tr("Classes of the hundred latents after epoch {epoch}", { epoch: balance.epochs[at] }),
        marked: !!balance.data,
        rows: balance.labels.map((label, index) => ({
          label, width: `${100 * shares[index] / most}%`, share: `${Math.round(100 * shares[index])} %`,
          data: balance.data?.[index] != null && `${100 * balance.data[index] / most}%`,
        })),
      };
    },
    move(at) {
      this.at = Math.max(0, at);
      if (this.epochs.length) {
        drawing.shown = this.epoch; // for charts that are drawn later
        document.dispatchEvent(new CustomEvent("shown", { detail: this.epoch }));
      }
    },
    stop() { clearTimeout(this.timer); this.timer = null; },
    toggle() {
      if (this.timer !== null) return this.stop();
      if (this.at >= this.epochs.length - 1) this.move(0);
      this.next();
    },
    next() {
      this.timer = setTimeout(() => {
        this.move(this.at + 1);
        if (this.at >= this.epochs.length - 1) this.stop();
        else this.next();
      }, Math.min(600, Math.max(100, 15000 / this.epochs.length)));
    },
  },
};
