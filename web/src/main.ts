/** The page's entry. */
import 'virtual:theme.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/planes.css';
import './styles/provider.css';
import './app/shell.ts';
