"""The words of generated thoughts, the frequent ones of each language first."""

# ruff: noqa: SIM905  (hundreds of words are easier to read without quotes)

ENGLISH = """
the a to and of in it is that was for on with as my you this not but at be have we
so there all what when like from they more about an today time one day out now if or
some people can will never every again only after before morning still good little new
water tea coffee walk city train rain book music window light night work home friend
river garden bread street summer winter sleep dream garden kitchen table letter paper
mountain sea bridge road quiet early late slow fast small old long short warm cold
read write think learn forget remember listen wait begin finish build break mend carry
open close turn keep leave find lose ask answer try fall grow sing dance cook paint
question answer idea problem reason habit mistake plan story sentence word page number
code server test release network screen keyboard meeting weekend holiday office project
bicycle ticket station platform harbour island forest meadow valley cloud thunder snow
apple lemon pepper garlic onion rice noodle soup cheese butter honey sugar salt plum
cat dog sparrow heron beetle spider salmon horse rabbit owl fox badger hedgehog moth
neighbour teacher doctor baker stranger sister brother mother father child grandmother
patience courage kindness doubt hope luck anger silence laughter wonder comfort memory
chair lamp mirror blanket pillow candle basket bottle hammer ladder needle pencil drawer
piano violin drum chorus rhythm melody theatre museum gallery poem novel chapter margin
monday tuesday wednesday thursday friday saturday sunday january april august october
almost always rarely somewhere nowhere suddenly gently perhaps indeed together apart
yellow purple silver copper velvet marble granite crystal linen pottery lantern compass
""".split()

CHINESE = """
的 了 是 我 在 不 有 就 也 都 很 和 这 那 你 他 她 们 一个 今天 时候 什么 怎么 没有
还是 因为 所以 如果 但是 已经 一起 现在 知道 觉得 喜欢 想要 可以 应该 慢慢 终于 突然
早上 中午 晚上 昨天 明天 周末 春天 夏天 秋天 冬天 下雨 下雪 天气 阳光 月亮 星星 云
喝茶 咖啡 吃饭 做饭 米饭 面条 饺子 豆腐 苹果 西瓜 味道 厨房 超市 市场 散步 跑步 爬山
朋友 同事 老师 学生 孩子 妈妈 爸爸 爷爷 奶奶 邻居 司机 医生 猫 狗 小鸟 金鱼 蜻蜓
城市 街道 公园 车站 地铁 火车 飞机 自行车 桥 河边 海边 山顶 图书馆 博物馆 电影院 书店
工作 开会 下班 加班 放假 旅行 学习 读书 写字 画画 唱歌 听音乐 看电影 睡觉 做梦 起床
代码 电脑 手机 网络 服务器 测试 发布 问题 答案 想法 计划 习惯 故事 句子 文字 数字
开心 难过 安静 热闹 温柔 勇敢 耐心 希望 怀念 孤独 简单 复杂 重要 有趣 奇怪 漂亮
灯光 窗户 桌子 椅子 镜子 雨伞 信封 铅笔 围巾 毛衣 口袋 钥匙 地图 相册 日历 时钟
""".split()

SPANISH = """
de la que el en y a los se no un por con una su para es al lo como más pero sus le ya
este porque cuando muy sin sobre también me hasta hay donde desde todo nos durante hoy
siempre nunca todavía mañana ayer noche día tiempo vida casa calle agua café pan lluvia
libro amigo hermana ciudad tren ventana camino montaña río playa jardín cocina música
palabra silencio memoria verano invierno otoño primavera pequeño grande lento tranquilo
caminar leer escribir pensar aprender olvidar recordar escuchar esperar empezar terminar
naranja limón tomate aceite queso azúcar manzana gato perro pájaro caballo mariposa
trabajo problema pregunta respuesta idea proyecto pantalla teclado reunión oficina
corazón canción cuaderno lámpara espejo puente estrella nube tormenta bosque isla puerto
""".split()
