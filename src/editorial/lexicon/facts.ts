/** Words by which flags.ts tells whether a change is for better or worse. Pattern sources. */

export interface FactWords {
  /** Measures of which more is better, and of which less is better. */
  gains: string;
  costs: string;
  /** Changes up and down. */
  up: string;
  down: string;
  /** Turns of a sentence after which good and bad may stand side by side. */
  contrast: string;
}

export const FACT_WORDS: Record<'zh' | 'en', FactWords> = {
  zh: {
    gains:
      '吞吐量|吞吐|速度|性能|效率|利用率|准确率|精度|精确度|产能|产量|营收|收入|利润|销量|用户数|用户量|市场份额|续航|带宽|容量|质量|稳定性|安全性|寿命|成功率|召回率|生产力',
    costs:
      '成本|延迟|时延|功耗|能耗|耗电|耗时|误差|错误率|误码率|故障率|损耗|损失|亏损|开销|排放|噪声|噪音|风险|负债|等待时间|训练时间|推理时间|事故率|死亡率|失业率',
    up: '翻倍|翻番|提升|提高|增加|增长|增强|上升|上涨|加快|加速|扩大|改善|优化|飙升|攀升',
    down: '减半|腰斩|下降|降低|减少|缩短|下滑|下跌|减慢|放缓|变慢|缩减|降到|骤降|暴跌|恶化',
    contrast: '但|不过|然而|虽然|尽管|代价|牺牲|却|反而|相反|而.{0,6}则',
  },
  en: {
    gains:
      'throughput|speed|performance|efficiency|utili[sz]ation|accuracy|precision|revenue|profits?|sales|output|capacity|bandwidth|battery life|quality|reliability|productivity|market share',
    costs:
      'costs?|latency|power consumption|energy use|errors?|error rates?|losses|overhead|emissions|noise|risks?|debt|waiting times?|training time|downtime|deaths|unemployment',
    up: 'doubl(?:e[sd]?|ing)|tripl(?:e[sd]?|ing)|increas(?:e[sd]?|ing)|improv(?:e[sd]?|ing)|rais(?:e[sd]?|ing)|boost(?:s|ed|ing)?|rises?|rose|grows?|grew|speeds? up|surg(?:e[sd]?|ing)',
    down: 'halv(?:e[sd]?|ing)|in half|decreas(?:e[sd]?|ing)|reduc(?:e[sd]?|ing)|lower(?:s|ed|ing)?|cuts?|cutting|drop(?:s|ped|ping)?|fall(?:s|ing)?|fell|shrinks?|shrank|slows? down|worsen(?:s|ed)?',
    contrast:
      'but|however|although|though|despite|while|yet|at the cost|trade-?off|whereas|instead',
  },
};
